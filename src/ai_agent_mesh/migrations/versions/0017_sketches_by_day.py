"""Latencies added up by day, so that a month's percentiles are read at once."""

from alembic import op

revision = "0017"
down_revision = "0016"

# As the days of minutes are (0008): by triggers, in the transaction that numbers the entries. Of
# what came before nothing may be missing, or a month's percentiles would be those of its rest.
SQL = """
CREATE TABLE objective_sketch (
  tenant_id text NOT NULL,
  category text NOT NULL,
  day date NOT NULL,
  bucket integer NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, category, bucket)
) WITH (fillfactor = 80);
ALTER TABLE objective_sketch ENABLE ROW LEVEL SECURITY;
ALTER TABLE objective_sketch FORCE ROW LEVEL SECURITY;
CREATE POLICY overview ON objective_sketch FOR SELECT TO mesh_operations USING (true);
CREATE POLICY keeping ON objective_sketch TO mesh_ledger USING (true) WITH CHECK (true);
GRANT SELECT ON objective_sketch TO mesh_operations;
GRANT SELECT, INSERT, UPDATE ON objective_sketch TO mesh_ledger;

CREATE FUNCTION objective_sketch_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO objective_sketch AS kept
  SELECT tenant_id, category, (minute AT TIME ZONE 'UTC')::date, bucket, sum(count)
  FROM added
  GROUP BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, day, category, bucket) DO UPDATE SET
    count = kept.count + excluded.count;
  RETURN NULL;
END
$$;

CREATE FUNCTION objective_sketch_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE objective_sketch AS kept SET count = kept.count + change.count
  FROM (
    SELECT tenant_id, category, (minute AT TIME ZONE 'UTC')::date AS day, bucket,
           sum(count) AS count
    FROM (
      SELECT tenant_id, category, minute, bucket, count FROM after_change
      UNION ALL
      SELECT tenant_id, category, minute, bucket, -count FROM before_change
    ) AS both_sides
    GROUP BY 1, 2, 3, 4
  ) AS change
  WHERE kept.tenant_id = change.tenant_id AND kept.day = change.day
    AND kept.category = change.category AND kept.bucket = change.bucket;
  RETURN NULL;
END
$$;

CREATE TRIGGER objective_sketch_add AFTER INSERT ON ledger_sketch
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION objective_sketch_add();
CREATE TRIGGER objective_sketch_change AFTER UPDATE ON ledger_sketch
  REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
  FOR EACH STATEMENT EXECUTE FUNCTION objective_sketch_change();

-- Row-level security binds the owner too, and this is about every tenant.
ALTER TABLE ledger_sketch NO FORCE ROW LEVEL SECURITY;
ALTER TABLE objective_sketch NO FORCE ROW LEVEL SECURITY;
INSERT INTO objective_sketch
SELECT tenant_id, category, (minute AT TIME ZONE 'UTC')::date, bucket, sum(count)
FROM ledger_sketch GROUP BY 1, 2, 3, 4;
ALTER TABLE objective_sketch FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_sketch FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    """Create it, and fill it with what was counted so far."""
    op.execute(SQL)
