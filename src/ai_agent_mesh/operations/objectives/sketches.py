"""The latencies of a month as one sketch a category, merged from those of its days."""

from collections import defaultdict
from collections.abc import Mapping

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.postgres import Tx

# What a correction took out leaves an empty bucket behind.
_SKETCHES = """
SELECT category, bucket, sum(count)::bigint AS calls FROM objective_sketch
WHERE tenant_id = ANY($1) AND day >= $2 AND day <= $3
GROUP BY 1, 2 HAVING sum(count) > 0
"""


async def sketches(tx: Tx, span: Span, tenant: str) -> Mapping[str, Mapping[int, int]]:
    """Return the timed calls of a tenant and the probe by category, as counts by bucket.

    They are those of the days that the span touches, in whole: sketches are kept by day.
    """
    found: dict[str, dict[int, int]] = defaultdict(dict)
    last = max(span.since, span.until - MINUTE).date()
    for row in await tx.fetch(_SKETCHES, [tenant, PROBE], span.since.date(), last):
        found[row["category"]][row["bucket"]] = row["calls"]
    return found
