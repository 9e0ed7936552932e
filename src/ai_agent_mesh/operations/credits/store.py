"""Closings in PostgreSQL: added by a tenant's own transaction, and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.credits.model import Closing
from ai_agent_mesh.operations.credits.rules import Promised, Seen
from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx

_INSERT = """
INSERT INTO sla_closing (id, month, since, until, ordinal, evidence, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_INSIDE = """
SELECT facts FROM sla_closing WHERE tenant_id = $1 AND since >= $2 AND until <= $3 ORDER BY id
"""
_LIST = """
SELECT facts FROM sla_closing WHERE ($1::text IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
"""
_PROMISED = """
SELECT tenant_id, tier, since, until FROM (
  SELECT tenant_id, tier, since,
         lead(since, 1, $2) OVER (PARTITION BY tenant_id ORDER BY since) AS until
  FROM tenant_tier WHERE tenant_id NOT IN ('platform', 'probe')
) AS spans WHERE tier = ANY($1) AND since < until ORDER BY tenant_id, since
"""
_BEGAN = "SELECT min(since) FROM tenant_tier WHERE tenant_id NOT IN ('platform', 'probe')"
_SEEN = """
SELECT DISTINCT ON (tenant_id, month) tenant_id, month, evidence
FROM sla_closing WHERE month IS NOT NULL ORDER BY tenant_id, month, ordinal DESC
"""
# Every entry changes at least the number of calls; a correction changes one of the others.
# Two corrections may leave every sum as it was, so numbered ones are counted as well.
_EVIDENCE = """
SELECT tenant_id, concat_ws('/', sum(calls), sum(valid), sum(bad), sum(timed), sum(within_p50),
                            sum(within_p95), sum(within_p99), max(corrected)) AS sums
FROM objective_day LEFT JOIN (
  SELECT tenant_id, count(*) AS corrected FROM amendment JOIN ledger_entry USING (id, tenant_id)
  WHERE amendment.at >= $1 AND amendment.at < $2 GROUP BY 1
) AS corrections USING (tenant_id)
WHERE day >= ($1 AT TIME ZONE 'UTC')::date AND day < ($2 AT TIME ZONE 'UTC')::date GROUP BY 1
"""
_MONTHS = """
SELECT month FROM sla_closing
WHERE tenant_id = $1 AND month IS NOT NULL AND since < $3 AND until > $2 ORDER BY month LIMIT 1
"""

Row = Any  # an asyncpg record: its columns are those of the query


class ClosingStore:
    """Closings. The tenant's transaction sees its own, one of the operations role all of them."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, closing: Closing, evidence: str) -> None:
        """Keep a closing of this transaction's tenant.

        Raises:
            UniqueViolationError of asyncpg: another process closed the same span meanwhile.
        """
        await self._tx.execute(
            _INSERT, closing.id, closing.month, closing.since, closing.until, closing.ordinal,
            evidence, msgspec.to_builtins(closing),
        )  # fmt: skip

    async def inside(self, tenant: str, span: Span) -> list[Closing]:
        """Return the closings of spans within a span, oldest first."""
        return list(map(_closing, await self._tx.fetch(_INSIDE, tenant, span.since, span.until)))

    async def closed_month(self, tenant: str, span: Span) -> str | None:
        """Return a closed month that a span touches, or None."""
        month: str | None = await self._tx.fetchval(_MONTHS, tenant, span.since, span.until)
        return month

    async def page(self, page: Page) -> Sequence[Closing]:
        """Return a page, newest first, and one more if there is one."""
        return list(map(_closing, await self._tx.fetch(_LIST, page.after, page.limit + 1)))

    async def began(self) -> datetime | None:
        """Return when the first customer was taken on, or None; operations role."""
        began: datetime | None = await self._tx.fetchval(_BEGAN)
        return began

    async def promised(self, tiers: Sequence[str], until: datetime) -> list[Promised]:
        """Return every customer's time on some tiers, up to a moment; operations role."""
        rows = await self._tx.fetch(_PROMISED, tiers, until)
        return [Promised(who, tier, Span(since, end)) for who, tier, since, end in map(tuple, rows)]

    async def seen(self) -> list[Seen]:
        """Return the last closing of each tenant's month; operations role."""
        rows = await self._tx.fetch(_SEEN)
        return [Seen(row["tenant_id"], Month.parse(row["month"]), row["evidence"]) for row in rows]

    async def evidence(self, span: Span) -> dict[str, str]:
        """Return what each tenant's calls and the probe's add up to over whole days, as text.

        How many of them were corrected is in it.
        """
        rows = await self._tx.fetch(_EVIDENCE, span.since, span.until)
        sums = {row["tenant_id"]: row["sums"] for row in rows}
        probe = sums.get(PROBE, "")
        return {tenant: f"{one} {probe}" for tenant, one in sums.items()} | {"": f" {probe}"}


def _closing(row: Row) -> Closing:
    return msgspec.convert(row["facts"], Closing)
