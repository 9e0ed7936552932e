"""Closed months and the credits that were booked for them."""

from alembic import op

revision = "0011"
down_revision = "0010"

SQL = """
CREATE TABLE sla_closing (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  month text,  -- NULL: a span that an operator chose
  since timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > since),
  ordinal integer NOT NULL CHECK (ordinal >= 0),
  evidence text NOT NULL,  -- what the span's calls added up to
  facts jsonb NOT NULL,
  UNIQUE (tenant_id, since, until, ordinal)
);
SELECT mesh_tenant_table('sla_closing');
-- What was booked stays: a correction is a row of its own.
REVOKE UPDATE, DELETE ON sla_closing FROM mesh_app;
"""


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
