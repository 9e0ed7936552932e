"""The ledger's minutes added up by day, by the database itself, and the way to the bad ones."""

from alembic import op

revision = "0008"
down_revision = "0007"

# The day rows are filled by triggers on the minute rows, in the sequencer's own transaction: they
# can be neither late nor doubled, also when an entry arrives days after its moment, and the ledger
# needs no word about who reads it. `minutes` counts the minute rows, so a probe's full day shows
# at a glance. The triggers run with the rights of whoever wrote the minutes.
SQL = """
CREATE TABLE objective_day (
  tenant_id text NOT NULL,
  service text NOT NULL,
  category text NOT NULL,
  day date NOT NULL,
  minutes integer NOT NULL,
  calls bigint NOT NULL,
  valid bigint NOT NULL,
  bad bigint NOT NULL,
  timed bigint NOT NULL,
  within_p50 bigint NOT NULL,
  within_p95 bigint NOT NULL,
  within_p99 bigint NOT NULL,
  PRIMARY KEY (tenant_id, service, category, day)
);
ALTER TABLE objective_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE objective_day FORCE ROW LEVEL SECURITY;
CREATE POLICY overview ON objective_day FOR SELECT TO mesh_operations USING (true);
CREATE POLICY keeping ON objective_day TO mesh_ledger USING (true) WITH CHECK (true);
GRANT SELECT ON objective_day TO mesh_operations;
GRANT SELECT, INSERT, UPDATE ON objective_day TO mesh_ledger;

CREATE FUNCTION objective_day_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO objective_day AS kept
  SELECT tenant_id, service, category, (minute AT TIME ZONE 'UTC')::date, count(*), sum(calls),
         sum(valid), sum(bad), sum(timed), sum(within_p50), sum(within_p95), sum(within_p99)
  FROM added
  GROUP BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, service, category, day) DO UPDATE SET
    minutes = kept.minutes + excluded.minutes, calls = kept.calls + excluded.calls,
    valid = kept.valid + excluded.valid, bad = kept.bad + excluded.bad,
    timed = kept.timed + excluded.timed, within_p50 = kept.within_p50 + excluded.within_p50,
    within_p95 = kept.within_p95 + excluded.within_p95,
    within_p99 = kept.within_p99 + excluded.within_p99;
  RETURN NULL;
END
$$;

CREATE FUNCTION objective_day_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE objective_day AS kept SET
    calls = kept.calls + change.calls, valid = kept.valid + change.valid,
    bad = kept.bad + change.bad, timed = kept.timed + change.timed,
    within_p50 = kept.within_p50 + change.within_p50,
    within_p95 = kept.within_p95 + change.within_p95,
    within_p99 = kept.within_p99 + change.within_p99
  FROM (
    SELECT tenant_id, service, category, (minute AT TIME ZONE 'UTC')::date AS day,
           sum(calls) AS calls, sum(valid) AS valid, sum(bad) AS bad, sum(timed) AS timed,
           sum(within_p50) AS within_p50, sum(within_p95) AS within_p95,
           sum(within_p99) AS within_p99
    FROM (
      SELECT tenant_id, service, category, minute, calls, valid, bad, timed,
             within_p50, within_p95, within_p99 FROM after_change
      UNION ALL
      SELECT tenant_id, service, category, minute, -calls, -valid, -bad, -timed,
             -within_p50, -within_p95, -within_p99 FROM before_change
    ) AS both_sides
    GROUP BY 1, 2, 3, 4
  ) AS change
  WHERE kept.tenant_id = change.tenant_id AND kept.service = change.service
    AND kept.category = change.category AND kept.day = change.day;
  RETURN NULL;
END
$$;

CREATE TRIGGER objective_day_add AFTER INSERT ON ledger_minute
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION objective_day_add();
CREATE TRIGGER objective_day_change AFTER UPDATE ON ledger_minute
  REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
  FOR EACH STATEMENT EXECUTE FUNCTION objective_day_change();

-- Readiness compares the schema with what the code needs.
GRANT SELECT ON alembic_version TO mesh_operations;

-- The probe's silence is looked for day by day.
CREATE INDEX ledger_minute_probe ON ledger_minute (service, minute) WHERE tenant_id = 'probe';
-- Only a minute with a bad call can be unavailable by its calls, and there are few of them.
CREATE INDEX ledger_minute_bad ON ledger_minute (minute, service) WHERE bad > 0;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
