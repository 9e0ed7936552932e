"""Planned maintenance: what everybody was told, and the way to the entries that prove it."""

from alembic import op

revision = "0010"
down_revision = "0009"

# No tenant's table: everybody reads it, and the tenant `platform` alone adds to it. What was
# announced never changes; it can only be called off, once.
SQL = """
CREATE TABLE maintenance (
  id text PRIMARY KEY,
  title text NOT NULL,
  description text NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL CHECK (until > since),
  services text[],  -- NULL: all of them
  announced_at timestamptz NOT NULL,
  announced_by text NOT NULL,
  entry text NOT NULL,
  cancelled_at timestamptz,
  cancelled_by text,
  cancel_entry text,
  CHECK ((cancelled_at IS NULL) = (cancel_entry IS NULL))
);
CREATE INDEX maintenance_until ON maintenance (until);
ALTER TABLE maintenance ENABLE ROW LEVEL SECURITY;
ALTER TABLE maintenance FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON maintenance FOR SELECT TO mesh_app, mesh_operations USING (true);
CREATE POLICY announcing ON maintenance FOR INSERT TO mesh_app
  WITH CHECK ((SELECT mesh_tenant()) = 'platform');
CREATE POLICY cancelling ON maintenance FOR UPDATE TO mesh_app
  USING ((SELECT mesh_tenant()) = 'platform') WITH CHECK ((SELECT mesh_tenant()) = 'platform');
GRANT SELECT, INSERT, UPDATE (cancelled_at, cancelled_by, cancel_entry) ON maintenance TO mesh_app;
GRANT SELECT ON maintenance TO mesh_operations;

-- The operators' acts are few among the refusals of unknown callers, which the tenant also bears.
CREATE INDEX ledger_entry_platform_act ON ledger_entry (number)
  WHERE tenant_id = 'platform' AND kind = 'act';
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
