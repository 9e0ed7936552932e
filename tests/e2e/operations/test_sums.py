"""What days and minutes add up to is what the minutes alone come to, however a span is cut."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from tests.conftest import Databases

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.objectives.sums import Spans, sums, sums_since
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Service

START, DAYS = datetime(2026, 11, 3, tzinfo=UTC), 6
HOUR = timedelta(hours=1)

# Some minutes of three tenants, in which everything differs; later ones change what stands.
_FILL = """
INSERT INTO ledger_minute AS kept
SELECT tenant, $1::timestamptz + n % 8640 * interval '1 minute', service, 'other',
       n % 7 + 1, n % 7, n % 3, n % 5, n % 4, n % 3, n % 2
FROM generate_series(1, 30000, 13) AS n,
     (VALUES ('ten_a', 'api'), ('probe', 'api'), ('ten_b', 'telemetry'), ('probe', 'governance'))
       AS called (tenant, service)
ON CONFLICT (tenant_id, minute, service, category) DO UPDATE SET
  calls = kept.calls + excluded.calls, valid = kept.valid + excluded.valid
"""
_ONE = """
INSERT INTO ledger_minute VALUES ('ten_c', $1, 'orchestration', 'other', 1, 1, 0, 1, 1, 1, 1)
"""
_PLAIN = """
SELECT service, category, sum(calls), sum(CASE WHEN off THEN 0 ELSE valid END),
       sum(CASE WHEN off THEN 0 ELSE bad END), sum(timed), sum(within_p50), sum(within_p95),
       sum(within_p99)
FROM (SELECT *, service = 'api' AND minute >= $4 AND minute < $5 AS off FROM ledger_minute
      WHERE minute >= $1 AND minute < $2 AND (tenant_id = ANY($3) OR $3 IS NULL)) AS minutes
GROUP BY 1, 2 ORDER BY 1, 2
"""


@pytest.fixture
async def filled(databases: Databases) -> Databases:
    """Fill in minutes, twice where they meet again."""
    async with databases.ledger.transaction() as tx:
        await tx.execute(_FILL, START)
        await tx.execute(_FILL, START)
    return databases


async def plain(
    tx: Tx, bounds: Sequence[datetime], tenant: str | None, off: Span
) -> list[list[tuple[object, ...]]]:
    """Return each part's sums from its minutes."""
    who = [tenant, "probe"] if tenant else None
    return [
        [tuple(row) for row in await tx.fetch(_PLAIN, since, until, who, off.since, off.until)]
        for since, until in pairwise(bounds)
    ]


@pytest.mark.parametrize("tenant", ["ten_a", "ten_b", None])
async def test_the_parts_of_a_span_are_the_sums_of_their_minutes(
    filled: Databases, tenant: str | None
) -> None:
    chance = Random(7)  # noqa: S311 - the same cuts each time
    off = Span(START + 50 * HOUR, START + 75 * HOUR)
    left_out: Spans = {Service.API: [off], Service.TELEMETRY: []}
    async with filled.operations.transaction() as tx:
        for count in (2, 2, 3, 5, 8):
            minutes = sorted(chance.sample(range(DAYS * 1440), count))
            bounds = [START + timedelta(minutes=minute) for minute in minutes]
            found = await sums_since(tx, bounds[:-1], bounds[-1], tenant, left_out)
            told = [
                [(c.service, c.category, c.calls, c.valid, c.bad, c.timed, c.within_p50,
                  c.within_p95, c.within_p99) for c in part]
                for part in found
            ]  # fmt: skip
            assert told == await plain(tx, bounds, tenant, off)
            assert any(told)


async def test_a_part_without_calls_has_none_on_a_day_that_has_some(filled: Databases) -> None:
    # Read as the day less all else of it.
    day = Span(START + 24 * HOUR, START + 48 * HOUR)
    async with filled.ledger.transaction() as tx:
        await tx.execute(_ONE, day.since)
    async with filled.operations.transaction() as tx:
        early, late = await sums_since(tx, [day.since, day.since + HOUR], day.until, "ten_c", {})
        assert [one.service for one in early if one.service is Service.ORCHESTRATION]
        assert not [one.service for one in late if one.service is Service.ORCHESTRATION]
        assert len(await sums(tx, day, "ten_c")) == len(late) + 1
