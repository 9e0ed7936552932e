"""The latencies of a month as one sketch a category, merged from those of its days."""

from collections import defaultdict
from collections.abc import Mapping

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.postgres import Tx

# What a correction took out leaves an empty bucket behind. Of the first and the last day those
# minutes are taken off that are not in the span: few, of a month's.
_SKETCHES = """
SELECT category, bucket, sum(count)::bigint AS calls FROM (
  SELECT category, bucket, count FROM objective_sketch
  WHERE tenant_id = ANY($1) AND day >= $2 AND day <= $3
  UNION ALL
  SELECT category, bucket, -count FROM ledger_sketch
  WHERE tenant_id = ANY($1) AND (
    minute >= $2::timestamp AT TIME ZONE 'UTC' AND minute < $4
    OR minute >= $5 AND minute < ($3::date + 1)::timestamp AT TIME ZONE 'UTC')
) AS parts GROUP BY 1, 2 HAVING sum(count) > 0
"""


async def sketches(tx: Tx, span: Span, tenant: str) -> Mapping[str, Mapping[int, int]]:
    """Return the timed calls of a tenant and the probe by category, as counts by bucket.

    `span` is of whole minutes.
    """
    found: dict[str, dict[int, int]] = defaultdict(dict)
    last = max(span.since, span.until - MINUTE).date()
    days = span.since.date(), last
    for row in await tx.fetch(_SKETCHES, [tenant, PROBE], *days, span.since, span.until):
        found[row["category"]][row["bucket"]] = row["calls"]
    return found
