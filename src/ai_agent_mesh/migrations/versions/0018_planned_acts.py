"""The acts about planned work as one stream, in which each is bound to all before it."""

from alembic import op

revision = "0018"
down_revision = "0017"

# `hash` is SHA-256 over the hash before and the act's own digest; before the first it is 32 zeros.
SQL = """
CREATE TABLE maintenance_act (
  ordinal bigint PRIMARY KEY,
  entry text NOT NULL UNIQUE,
  at timestamptz NOT NULL,
  hash bytea NOT NULL
);
CREATE INDEX maintenance_act_at ON maintenance_act (at);
ALTER TABLE maintenance_act ENABLE ROW LEVEL SECURITY;
ALTER TABLE maintenance_act FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON maintenance_act FOR SELECT TO mesh_app, mesh_operations USING (true);
CREATE POLICY acting ON maintenance_act FOR INSERT TO mesh_app
  WITH CHECK ((SELECT mesh_tenant()) = 'platform');
GRANT SELECT, INSERT ON maintenance_act TO mesh_app;
GRANT SELECT ON maintenance_act TO mesh_operations;

-- How subscribers were told: few among many, and looked for whenever planned work is stated.
CREATE INDEX ledger_entry_notice ON ledger_entry (tenant_id, number) WHERE kind = 'notice';
"""

# What was announced and called off before has no word of its place, and gets it by its moment. The
# owner of the tables is bound by their policies as well, so those are lifted meanwhile.
TAKEN_OVER = """
ALTER TABLE maintenance NO FORCE ROW LEVEL SECURITY;
ALTER TABLE maintenance_act NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entry NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_inbox NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
  act record;
  link bytea := decode(repeat('00', 32), 'hex');
  place bigint := 0;
BEGIN
  FOR act IN
    SELECT id, done.at, digest
    FROM (SELECT entry AS id, announced_at AS at FROM maintenance
          UNION ALL
          SELECT cancel_entry, cancelled_at FROM maintenance WHERE cancelled_at IS NOT NULL) AS done
    JOIN (SELECT id, digest FROM ledger_entry WHERE tenant_id = 'platform' AND kind = 'act'
          UNION
          SELECT id, digest FROM ledger_inbox WHERE tenant_id = 'platform') AS kept USING (id)
    ORDER BY done.at, id COLLATE "C"
  LOOP
    place := place + 1;
    link := sha256(link || act.digest);
    INSERT INTO maintenance_act VALUES (place, act.id, act.at, link);
  END LOOP;
END
$$;
-- Nothing is announced or called off beside the stream, whatever code does it. Rows from before
-- that no entry bears out stay as they are, for `verify` to find.
ALTER TABLE maintenance
  ADD FOREIGN KEY (entry) REFERENCES maintenance_act (entry)
    DEFERRABLE INITIALLY DEFERRED NOT VALID,
  ADD FOREIGN KEY (cancel_entry) REFERENCES maintenance_act (entry)
    DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE maintenance FORCE ROW LEVEL SECURITY;
ALTER TABLE maintenance_act FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_entry FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_inbox FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    """Create it, and take over what there is."""
    op.execute(SQL)
    op.execute(TAKEN_OVER)
