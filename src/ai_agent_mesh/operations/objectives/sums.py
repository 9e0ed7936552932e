"""The calls of a span added up, in all and in parts: one tenant's with the probe's, or everybody's."""  # noqa: E501

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements import PROBE, Calls
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Category, Service

Row = Any  # an asyncpg record: its columns are those of the query

_DAY = timedelta(days=1)
_COLUMNS = ("calls", "valid", "bad", "timed", "within_p50", "within_p95", "within_p99")
_SUMS = ", ".join(_COLUMNS)
_ADDED = ", ".join(f"sum({column})::bigint" for column in _COLUMNS)
_DATE = "(minute AT TIME ZONE 'UTC')::date"

# Whole days come from the day roll-up; the broken days at either end from the minutes.
_PARTS = f"""(
  SELECT day, service, category, {_SUMS} FROM objective_day
  WHERE tenant_id = ANY($1) AND day >= $2 AND day < $3
  UNION ALL
  SELECT {_DATE}, service, category, {_SUMS} FROM ledger_minute
  WHERE tenant_id = ANY($1) AND minute >= $4 AND minute < $5
  UNION ALL
  SELECT {_DATE}, service, category, {_SUMS} FROM ledger_minute
  WHERE tenant_id = ANY($1) AND minute >= $6 AND minute < $7
) AS parts"""  # noqa: S608 - a list of column names, written above
_IN_ALL = f"SELECT service, category, {_ADDED} FROM {_PARTS} GROUP BY 1, 2 ORDER BY 1, 2"  # noqa: S608
_BY_DAY = f"SELECT day, service, category, {_ADDED} FROM {_PARTS} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"  # noqa: S608
# Each minute is read once, for the begin that it comes after.
_SINCE = f"""
SELECT width_bucket(minute, $1::timestamptz[]) AS place, service, category, {_ADDED}
FROM ledger_minute WHERE minute >= ($1::timestamptz[])[1] AND minute < $2 AND tenant_id = ANY($3)
GROUP BY 1, 2, 3
"""  # noqa: S608
# The spans of a service do not overlap, so no minute is counted twice. OFFSET keeps them apart: a
# plan for any number of spans would read the whole table instead, once it is made for all times.
_LEFT_OUT = """
SELECT width_bucket(minute, $1::timestamptz[]), service, category,
       sum(valid)::bigint, sum(bad)::bigint
FROM unnest($4::text[], $5::timestamptz[], $6::timestamptz[]) AS off (named, since, until)
CROSS JOIN LATERAL (
  SELECT minute, service, category, valid, bad FROM ledger_minute
  WHERE minute >= since AND minute < until AND service = named
    AND minute < $2 AND tenant_id = ANY($3)
  OFFSET 0
) AS kept
GROUP BY 1, 2, 3
"""

#: Spans of whole minutes by service, none overlapping another of its service.
Spans = Mapping[Service, Sequence[Span]]
Key = tuple[int, str, str]


async def sums(tx: Tx, span: Span, tenant: str) -> tuple[Calls, ...]:
    """Return the calls of a span of whole minutes, by service and category."""
    rows = await tx.fetch(_IN_ALL, *_of_tenant(span, tenant))
    return tuple(_calls(*row.values()) for row in rows)


async def sums_since(
    tx: Tx, begins: Sequence[datetime], until: datetime, tenant: str | None, left_out: Spans
) -> Sequence[Sequence[Calls]]:
    """Return the calls between each begin, ascending, and the next one (or `until`).

    Calls in minutes that are `left_out` are neither valid nor bad; latency is judged in all.
    """
    rows = [tuple(row) for row in await _asked(tx, _SINCE, begins, until, tenant)]
    off = await _left_out(tx, begins, until, tenant, left_out)
    return _laid(len(begins), rows, off)


async def sums_by_day(
    tx: Tx, days: Sequence[Span], tenant: str | None, left_out: Spans
) -> Sequence[Sequence[Calls]]:
    """Return the calls of adjoining days, as `sums_since` does; a tenant's from the day rows."""
    begins = [day.since for day in days]
    if tenant is None:
        return await sums_since(tx, begins, days[-1].until, None, left_out)
    places = {day.since.date(): place for place, day in enumerate(days, 1)}
    found = await tx.fetch(_BY_DAY, *_of_tenant(Span(begins[0], days[-1].until), tenant))
    rows = [(places[day], *rest) for day, *rest in map(tuple, found)]
    off = await _left_out(tx, begins, days[-1].until, tenant, left_out)
    return _laid(len(days), rows, off)


async def _left_out(
    tx: Tx, begins: Sequence[datetime], until: datetime, tenant: str | None, spans: Spans
) -> Mapping[Key, tuple[int, int]]:
    span = Span(begins[0], until)
    named = [
        (service.value, part.since, part.until)
        for service, some in spans.items()
        for one in some
        if (part := one.overlap(span))
    ]
    if not named:
        return {}
    columns = ([one[column] for one in named] for column in range(3))
    rows = await _asked(tx, _LEFT_OUT, begins, until, tenant, *columns)
    return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}


async def _asked(
    tx: Tx, sql: str, begins: Sequence[datetime], until: datetime, tenant: str | None, *more: object
) -> Sequence[Row]:
    if tenant:
        return await tx.fetch(sql, begins, until, [tenant, PROBE], *more)
    of_all = sql.replace("ledger_minute", "platform_minute")
    return await tx.fetch(
        of_all.replace("tenant_id = ANY($3)", "$3::text[] IS NULL"), begins, until, None, *more
    )


def _laid(count: int, rows: Sequence[Row], off: Mapping[Key, tuple[int, int]]) -> list[list[Calls]]:
    """Return calls by place, from 1, without what was left out."""
    laid: list[list[Calls]] = [[] for _ in range(count)]
    for place, service, category, calls, valid, bad, *timed in rows:
        valid_off, bad_off = off.get((place, service, category), (0, 0))
        found = _calls(service, category, calls, valid - valid_off, bad - bad_off, *timed)
        laid[place - 1].append(found)
    return laid


def _calls(service: str, category: str, *figures: int) -> Calls:
    return Calls(Service(service), Category(category), *figures)


def _of_tenant(span: Span, tenant: str) -> Sequence[object]:
    inner = _whole_days(span)
    return (
        [tenant, PROBE],
        inner.since.date(),
        inner.until.date(),
        span.since,
        inner.since,
        inner.until,
        span.until,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _whole_days(span: Span) -> Span:
    """Return the whole days inside the span; without one, an empty span at its end."""
    since = _midnight((span.since + _DAY - timedelta.resolution).date())
    until = _midnight(span.until.date())
    return Span(since, until) if since < until else Span(span.until, span.until)
