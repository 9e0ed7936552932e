"""Who wants to hear of what, what there is to hear, and how each delivery went."""

from alembic import op

revision = "0012"
down_revision = "0011"

SQL = """
CREATE TABLE subscription (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  id text PRIMARY KEY,
  url text NOT NULL,
  topics text[] NOT NULL CHECK (cardinality(topics) > 0),
  secret bytea NOT NULL,  -- sealed by the vault for this very cell
  created_at timestamptz NOT NULL,
  created_by text NOT NULL
);
SELECT mesh_tenant_table('subscription');
CREATE INDEX subscription_page ON subscription (tenant_id, id);
-- Operations see who wants to hear of what; the sealed secret and the address are none of theirs.
REVOKE SELECT ON subscription FROM mesh_operations;
GRANT SELECT (tenant_id, id, topics, created_at) ON subscription TO mesh_operations;

-- What everybody may hear of, written by the tenant `platform` in the transaction of what happened.
-- It is open as long as a subscriber may still have to be told.
CREATE TABLE notice (
  id text PRIMARY KEY,
  topic text NOT NULL,
  type text NOT NULL,
  at timestamptz NOT NULL,
  object text NOT NULL,
  data jsonb NOT NULL,
  open boolean NOT NULL DEFAULT true
);
CREATE INDEX notice_open ON notice (at) WHERE open;
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
ALTER TABLE notice FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON notice FOR SELECT TO mesh_app, mesh_operations USING (true);
CREATE POLICY publishing ON notice FOR INSERT TO mesh_app
  WITH CHECK ((SELECT mesh_tenant()) = 'platform');
CREATE POLICY closing ON notice FOR UPDATE TO mesh_app
  USING ((SELECT mesh_tenant()) = 'platform') WITH CHECK ((SELECT mesh_tenant()) = 'platform');
GRANT SELECT, INSERT, UPDATE (open) ON notice TO mesh_app;
GRANT SELECT ON notice TO mesh_operations;

-- Born with the first try. `doubtful`: a try began and nobody knows yet how it ended.
CREATE TABLE notice_delivery (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  notice_id text NOT NULL,
  subscription_id text NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts integer NOT NULL DEFAULT 1,
  doubtful boolean NOT NULL DEFAULT true,
  repeats integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  reason text,
  settled_at timestamptz,
  PRIMARY KEY (tenant_id, notice_id, subscription_id)
);
SELECT mesh_tenant_table('notice_delivery');
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
