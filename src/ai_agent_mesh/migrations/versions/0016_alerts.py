"""The platform's minutes, all tenants together, and the alerts that are evaluated over them."""

from alembic import op

revision = "0016"
down_revision = "0015"

# Windows of three days are read every minute. Over each tenant's own rows that would cost more with
# every tenant; so the database adds them up as it does the days, by triggers in the sequencer's own
# transaction: what arrives late changes both, and the ledger needs no word about who reads it.
MINUTES = """
CREATE TABLE platform_minute (
  minute timestamptz NOT NULL,
  service text NOT NULL,
  category text NOT NULL,
  calls bigint NOT NULL,
  valid bigint NOT NULL,
  bad bigint NOT NULL,
  timed bigint NOT NULL,
  within_p50 bigint NOT NULL,
  within_p95 bigint NOT NULL,
  within_p99 bigint NOT NULL,
  PRIMARY KEY (minute, service, category)
) WITH (fillfactor = 80);
GRANT SELECT ON platform_minute TO mesh_operations;
GRANT SELECT, INSERT, UPDATE ON platform_minute TO mesh_ledger;

CREATE FUNCTION platform_minute_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO platform_minute AS kept
  SELECT minute, service, category, sum(calls), sum(valid), sum(bad), sum(timed),
         sum(within_p50), sum(within_p95), sum(within_p99)
  FROM added
  GROUP BY 1, 2, 3
  ON CONFLICT (minute, service, category) DO UPDATE SET
    calls = kept.calls + excluded.calls, valid = kept.valid + excluded.valid,
    bad = kept.bad + excluded.bad, timed = kept.timed + excluded.timed,
    within_p50 = kept.within_p50 + excluded.within_p50,
    within_p95 = kept.within_p95 + excluded.within_p95,
    within_p99 = kept.within_p99 + excluded.within_p99;
  RETURN NULL;
END
$$;

CREATE FUNCTION platform_minute_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE platform_minute AS kept SET
    calls = kept.calls + change.calls, valid = kept.valid + change.valid,
    bad = kept.bad + change.bad, timed = kept.timed + change.timed,
    within_p50 = kept.within_p50 + change.within_p50,
    within_p95 = kept.within_p95 + change.within_p95,
    within_p99 = kept.within_p99 + change.within_p99
  FROM (
    SELECT minute, service, category, sum(calls) AS calls, sum(valid) AS valid, sum(bad) AS bad,
           sum(timed) AS timed, sum(within_p50) AS within_p50, sum(within_p95) AS within_p95,
           sum(within_p99) AS within_p99
    FROM (
      SELECT minute, service, category, calls, valid, bad, timed,
             within_p50, within_p95, within_p99 FROM after_change
      UNION ALL
      SELECT minute, service, category, -calls, -valid, -bad, -timed,
             -within_p50, -within_p95, -within_p99 FROM before_change
    ) AS both_sides
    GROUP BY 1, 2, 3
  ) AS change
  WHERE kept.minute = change.minute AND kept.service = change.service
    AND kept.category = change.category;
  RETURN NULL;
END
$$;

CREATE TRIGGER platform_minute_add AFTER INSERT ON ledger_minute
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION platform_minute_add();
CREATE TRIGGER platform_minute_change AFTER UPDATE ON ledger_minute
  REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
  FOR EACH STATEMENT EXECUTE FUNCTION platform_minute_change();
"""

# Both belong to the tenant `platform`, and stand under the rule that all tenants' rows stand under.
ALERTS = """
CREATE TABLE alert (
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  id text NOT NULL,
  rule text NOT NULL,
  name text NOT NULL,
  urgency text NOT NULL,
  tells text NOT NULL,
  objective text,
  summary text NOT NULL,
  since timestamptz NOT NULL,
  fired_at timestamptz,
  resolved_at timestamptz CHECK (resolved_at IS NULL OR fired_at IS NOT NULL),
  PRIMARY KEY (tenant_id, id)
);
SELECT mesh_tenant_table('alert');
-- However many workers evaluate, a rule has one alert that is not over.
CREATE UNIQUE INDEX alert_open ON alert (tenant_id, rule) WHERE resolved_at IS NULL;

CREATE TABLE alert_event (
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  signal text NOT NULL,
  subject text NOT NULL,  -- what it happened to: a version, a backup's id
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, signal, subject)
);
SELECT mesh_tenant_table('alert_event');
CREATE INDEX alert_event_last ON alert_event (signal, at);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(MINUTES)
    op.execute(ALERTS)
