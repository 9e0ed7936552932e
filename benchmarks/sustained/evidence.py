"""What the ledger says of a span of minutes: attainment and percentiles by category, and calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Sketch

_MINUTES = """
SELECT category,
       sum(calls)::bigint AS calls, sum(bad)::bigint AS bad, sum(timed)::bigint AS timed,
       sum(within_p50)::bigint AS p50, sum(within_p95)::bigint AS p95,
       sum(within_p99)::bigint AS p99
FROM ledger_minute WHERE tenant_id = ANY ($1::text[]) AND minute >= $2 GROUP BY category
"""
_SKETCH = """
SELECT category, bucket, sum(count)::bigint AS count
FROM ledger_sketch WHERE tenant_id = ANY ($1::text[]) AND minute >= $2 GROUP BY category, bucket
"""
_UNNUMBERED = "SELECT count(*) FROM ledger_inbox WHERE tenant_id = ANY ($1::text[])"


@dataclass(frozen=True, slots=True)
class Judged:
    """One category: its calls, how many were our fault, and how many met each threshold."""

    calls: int
    bad: int
    timed: int
    within: Mapping[str, int]
    sketch: Mapping[int, int]

    def share(self, quantile: str) -> float:
        """Return the share of timed calls under the promise of `p50`, `p95` or `p99`."""
        return self.within[quantile] / self.timed if self.timed else 1.0

    def latency_ms(self, share: float) -> float:
        """Return the latency that this share of the calls lies at or below."""
        return (Sketch.quantile(self.sketch, share) or 0) / 1_000

    def holds(self, quantile: str) -> bool:
        """Tell whether as many calls met the threshold as its name says."""
        return self.share(quantile) >= int(quantile[1:]) / 100


async def numbered(tx: Tx, tenants: Sequence[str]) -> bool:
    """Tell whether every entry of these tenants has its number."""
    return not await tx.fetchval(_UNNUMBERED, list(tenants))


async def judged(tx: Tx, tenants: Sequence[str], since: datetime) -> dict[str, Judged]:
    """Return the figures of each category from the minute `since` on."""
    sketches: dict[str, dict[int, int]] = {}
    for row in await tx.fetch(_SKETCH, list(tenants), since):
        sketches.setdefault(row["category"], {})[row["bucket"]] = row["count"]
    return {
        row["category"]: Judged(
            row["calls"],
            row["bad"],
            row["timed"],
            {"p50": row["p50"], "p95": row["p95"], "p99": row["p99"]},
            sketches.get(row["category"], {}),
        )
        for row in await tx.fetch(_MINUTES, list(tenants), since)
    }
