"""The platform's minutes: those from before there were any, and a right to drop the old ones."""

from alembic import op

revision = "0019"
down_revision = "0018"

# Alerts look back over them by days, so those of a platform that is upgraded must not begin today.
# The owner sees no tenant's rows otherwise; the lock keeps the sequencer from adding meanwhile.
SQL = """
ALTER TABLE ledger_minute NO FORCE ROW LEVEL SECURITY;
INSERT INTO platform_minute AS kept
SELECT minute, service, category, sum(calls), sum(valid), sum(bad), sum(timed),
       sum(within_p50), sum(within_p95), sum(within_p99)
FROM ledger_minute
WHERE minute >= now() - interval '31 days'
GROUP BY 1, 2, 3
ON CONFLICT (minute, service, category) DO UPDATE SET
  calls = excluded.calls, valid = excluded.valid, bad = excluded.bad, timed = excluded.timed,
  within_p50 = excluded.within_p50, within_p95 = excluded.within_p95,
  within_p99 = excluded.within_p99;
ALTER TABLE ledger_minute FORCE ROW LEVEL SECURITY;

GRANT DELETE ON platform_minute TO mesh_ledger;
"""


def upgrade() -> None:
    """Fill them in."""
    op.execute(SQL)
