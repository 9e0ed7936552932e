"""Corrections of calls by a person."""

from alembic import op

revision = "0014"
down_revision = "0013"

SQL = """
CREATE TABLE amendment (
  id text PRIMARY KEY,  -- of the ledger entry that makes it
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  entry text NOT NULL,
  digest text NOT NULL,
  ordinal integer NOT NULL,
  at timestamptz NOT NULL,
  was text NOT NULL,
  fault text NOT NULL,
  reason text NOT NULL,
  amended_at timestamptz NOT NULL,
  amended_by text NOT NULL,
  UNIQUE (tenant_id, digest, ordinal)
);
SELECT mesh_tenant_table('amendment');
REVOKE UPDATE, DELETE ON amendment FROM mesh_app;
CREATE INDEX amendment_at ON amendment (at);

-- Few among many, and looked for whenever figures are recounted.
CREATE INDEX ledger_entry_amendment ON ledger_entry (seq) WHERE kind = 'amendment';
"""


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
