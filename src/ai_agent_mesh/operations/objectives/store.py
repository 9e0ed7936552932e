"""Reads of the ledger's roll-ups, across tenants, under the operations role."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.objectives.model import EntryRange
from ai_agent_mesh.operations.objectives.sums import sums
from ai_agent_mesh.operations.planned import Maintenance
from ai_agent_mesh.operations.statements import PROBE, Evidence, Watch, read_singly
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import MinuteCount, Service, Terms, minute_number

Row = Any  # an asyncpg record: its columns are those of the query

_DAY = timedelta(days=1)
_MARRED = """
SELECT minute, service, sum(valid)::bigint, sum(bad)::bigint
FROM ledger_minute
JOIN (
  SELECT DISTINCT minute, service FROM ledger_minute
  WHERE bad > 0 AND minute >= $2 AND minute < $3 AND tenant_id = ANY($1)
) AS bad_ones USING (minute, service)
WHERE tenant_id = ANY($1)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_MARRED_OF_ALL = _MARRED.replace("tenant_id = ANY($1)", "$1::text[] IS NULL")

_COUNTS = """
SELECT minute, service, sum(valid)::bigint, sum(bad)::bigint
FROM unnest($2::timestamptz[], $3::timestamptz[]) AS asked (since, until)
JOIN ledger_minute ON minute >= since AND minute < until
WHERE tenant_id = ANY($1)
GROUP BY 1, 2 ORDER BY 1, 2
"""

_WATCHED = """
SELECT service, min(day) AS first,
       array_agg(day) FILTER (WHERE minutes >= 1440 AND day >= $2) AS full_days,
       (SELECT min(minute) FROM ledger_minute AS kept
        WHERE kept.tenant_id = $1 AND kept.service = days.service
          AND minute >= min(day)::timestamp AT TIME ZONE 'UTC'
          AND minute < (min(day) + 1)::timestamp AT TIME ZONE 'UTC') AS since
FROM objective_day AS days WHERE tenant_id = $1 GROUP BY 1 ORDER BY 1
"""

# Day by day through the index, which has the minutes in order: a gap is what lies between the day's
# begin and its first minute, or between a minute and the next one (or the day's end).
_GAPS = """
WITH days AS (
  SELECT service, day::timestamp AT TIME ZONE 'UTC' AS since,
         (day + 1)::timestamp AT TIME ZONE 'UTC' AS until
  FROM unnest($1::text[], $2::date[]) AS asked (service, day)
)
SELECT days.service, days.since, coalesce(first.minute, days.until) AS until
FROM days LEFT JOIN LATERAL (
  SELECT minute FROM ledger_minute AS kept
  WHERE tenant_id = 'probe' AND kept.service = days.service
    AND minute >= days.since AND minute < days.until
  ORDER BY minute LIMIT 1
) AS first ON true
WHERE first.minute IS DISTINCT FROM days.since
UNION ALL
SELECT days.service, minute + interval '1 minute', following
FROM days CROSS JOIN LATERAL (
  SELECT minute, lead(minute, 1, days.until) OVER (ORDER BY minute) AS following
  FROM ledger_minute AS kept
  WHERE tenant_id = 'probe' AND kept.service = days.service
    AND minute >= days.since AND minute < days.until
) AS spoken
WHERE following > minute + interval '1 minute'
ORDER BY 1, 2
"""

_HEARD = """
SELECT service, (SELECT minute FROM ledger_minute AS kept WHERE kept.service = asked.service
                 ORDER BY minute LIMIT 1) AS minute
FROM unnest($1::text[]) AS asked (service)
"""

_TENANTS = "SELECT id FROM tenant WHERE id NOT IN ('platform', 'probe') ORDER BY id"

_RANGE = """
SELECT min(number) AS first_number, max(number) AS last_number, count(*) AS entries
FROM ledger_entry WHERE tenant_id = $1 AND at >= $2 AND at < $3
"""


class ObjectiveStore:
    """The evidence in the roll-ups. The transaction is of the operations role and of no tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def evidence(
        self,
        span: Span,
        terms: Terms,
        *,
        tenant: str | None,
        works: Sequence[Maintenance] = (),
        excluded: Sequence[range] = (),
    ) -> Evidence:
        """Return what a span of whole minutes is judged by, by the method of the terms.

        With a tenant that is its own calls and the probe's; without one everybody's, and then
        only a method by minutes can judge it. `excluded` are the minutes that `works` take out.
        """
        minutes, watches = await self._marred(span, tenant), await self.watches(span)
        singly = _clipped(read_singly(minutes, watches, excluded, terms), span)
        if tenant and singly:
            known = {one[:2]: one for one in (*minutes, *await self._counts(singly, tenant))}
            minutes = tuple(known[key] for key in sorted(known))
        calls = await sums(self._tx, span, tenant) if tenant else ()
        return Evidence(span, minutes, watches, tuple(calls), tuple(works))

    async def _marred(self, span: Span, tenant: str | None) -> tuple[MinuteCount, ...]:
        """Return the minutes with bad calls, all calls of the service in that minute pooled."""
        sql = _MARRED if tenant else _MARRED_OF_ALL
        who = [tenant, PROBE] if tenant else None
        return _counted(await self._tx.fetch(sql, who, span.since, span.until))

    async def _counts(self, spans: Sequence[Span], tenant: str) -> tuple[MinuteCount, ...]:
        """Return every minute of some spans that has calls."""
        since, until = [one.since for one in spans], [one.until for one in spans]
        return _counted(await self._tx.fetch(_COUNTS, [tenant, PROBE], since, until))

    async def watches(self, span: Span) -> Mapping[Service, Watch]:
        """Return since when each service is watched, and where in the span no probe is."""
        rows = await self._tx.fetch(_WATCHED, PROBE, span.since.date())
        since = {Service(row["service"]): row["since"] for row in rows}
        full = {Service(row["service"]): frozenset(row["full_days"] or ()) for row in rows}
        doubtful = [
            (service, day)
            for service, at in since.items()
            for day in _days(span)
            if day >= at.date() and day not in full[service]
        ]
        gaps = await self._gaps(doubtful)
        return {
            service: Watch(
                at, _clipped(gaps.get(service, ()), Span(max(at, span.since), span.until))
            )
            for service, at in since.items()
            if at < span.until
        }

    async def tenants(self) -> list[str]:
        """Return the ids of every tenant but the two built-in ones, oldest first."""
        rows = await self._tx.fetch(_TENANTS)
        return [row["id"] for row in rows]

    async def heard_since(self) -> Mapping[Service, datetime]:
        """Return the minute of each service's first call of all; one never called is absent."""
        rows = await self._tx.fetch(_HEARD, [service.value for service in Service])
        return {Service(row["service"]): row["minute"] for row in rows if row["minute"]}

    async def entry_range(self, tenant: str, span: Span) -> EntryRange:
        """Return which numbered entries of a tenant were completed in the span."""
        row = await self._tx.fetchrow(_RANGE, tenant, span.since, span.until)
        return EntryRange(**dict(row)) if row else EntryRange(None, None, 0)

    async def _gaps(self, doubtful: Sequence[tuple[Service, date]]) -> Mapping[Service, list[Span]]:
        gaps: dict[Service, list[Span]] = defaultdict(list)
        if doubtful:
            services, days = [s.value for s, _ in doubtful], [day for _, day in doubtful]
            for row in await self._tx.fetch(_GAPS, services, days):
                gaps[Service(row["service"])].append(Span(row["since"], row["until"]))
        return gaps


def _counted(rows: Sequence[Row]) -> tuple[MinuteCount, ...]:
    return tuple(
        MinuteCount(minute_number(minute), Service(service), valid, bad)
        for minute, service, valid, bad in map(tuple, rows)
    )


def _clipped(spans: Iterable[Span], bounds: Span) -> tuple[Span, ...]:
    return tuple(part for span in spans if (part := span.overlap(bounds)))


def _days(span: Span) -> list[date]:
    """Return every day that the span touches."""
    last = (span.until - MINUTE).date() if span.length else span.since.date()
    return [span.since.date() + _DAY * n for n in range((last - span.since.date()).days + 1)]
