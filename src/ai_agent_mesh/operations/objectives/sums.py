"""The calls of a span added up, in all and in parts: one tenant's with the probe's, or everybody's."""  # noqa: E501

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.objectives.cuts import Cuts, cuts, uncut
from ai_agent_mesh.operations.statements import PROBE, Calls
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Category, Service

Row = Any  # an asyncpg record: its columns are those of the query

_COLUMNS = ("calls", "valid", "bad", "timed", "within_p50", "within_p95", "within_p99")
_ADDED = ", ".join(f"sum({column})::bigint" for column in _COLUMNS)
_DAYS = f"""
SELECT day, service, category, {_ADDED} FROM objective_day
WHERE day = ANY($1::date[]) AND tenant_id = ANY($2) GROUP BY 1, 2, 3
"""  # noqa: S608 - a list of column names, written above
# OFFSET keeps the pieces apart: a plan for any number of them would read the whole table instead,
# once it is made for all times.
_PIECES = f"""
SELECT piece, service, category, {_ADDED}
FROM unnest($1::timestamptz[], $2::timestamptz[]) WITH ORDINALITY AS asked (since, until, piece)
CROSS JOIN LATERAL (
  SELECT * FROM ledger_minute WHERE minute >= since AND minute < until AND tenant_id = ANY($3)
  OFFSET 0
) AS kept
GROUP BY 1, 2, 3
"""  # noqa: S608
# The spans of a service do not overlap, so no minute is counted twice.
_LEFT_OUT = """
SELECT width_bucket(minute, $1::timestamptz[]) - 1, service, category,
       sum(valid)::bigint, sum(bad)::bigint
FROM unnest($2::text[], $4::timestamptz[], $5::timestamptz[]) AS off (named, since, until)
CROSS JOIN LATERAL (
  SELECT * FROM ledger_minute
  WHERE minute >= since AND minute < until AND service = named AND tenant_id = ANY($3)
  OFFSET 0
) AS kept
GROUP BY 1, 2, 3
"""

#: Spans of whole minutes by service, none overlapping another of its service.
Spans = Mapping[Service, Sequence[Span]]


async def sums(tx: Tx, span: Span, tenant: str) -> Sequence[Calls]:
    """Return the calls of a span of whole minutes, by service and category."""
    return (await sums_since(tx, [span.since], span.until, tenant, {}))[0]


async def sums_since(
    tx: Tx, begins: Sequence[datetime], until: datetime, tenant: str | None, left_out: Spans
) -> Sequence[Sequence[Calls]]:
    """Return the calls between each begin, ascending, and the next one (or `until`).

    Calls in minutes that are `left_out` are neither valid nor bad; latency is judged in all.
    """
    # Of everybody's calls no day is kept.
    plan = cuts(begins, until) if tenant else uncut(begins, until)
    found: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0] * len(_COLUMNS))
    for part, sign, (service, category, *figures) in await _read(tx, plan, tenant):
        sums_of = found[part, service, category]
        for place, figure in enumerate(figures):
            sums_of[place] += sign * figure
    for part, service, category, valid, bad in await _left_out(tx, begins, until, tenant, left_out):
        found[part, service, category][1] -= valid
        found[part, service, category][2] -= bad
    parts: list[list[Calls]] = [[] for _ in begins]
    for (part, service, category), figures in sorted(found.items()):
        if any(figures):  # a part without calls, on a day that others had some
            parts[part].append(Calls(Service(service), Category(category), *figures))
    return parts


async def _read(tx: Tx, plan: Cuts, tenant: str | None) -> Sequence[tuple[int, int, Row]]:
    """Return rows of a service, a category and their figures, each to add to a part or take off."""
    found: list[tuple[int, int, Row]] = []
    if plan.days:
        rows = await tx.fetch(_DAYS, list(plan.days), [tenant, PROBE])
        found += [(plan.days[day], 1, row) for day, *row in map(tuple, rows)]
    if plan.pieces:
        since, until = [one.since for one in plan.pieces], [one.until for one in plan.pieces]
        for number, *row in map(tuple, await _asked(tx, _PIECES, since, until, tenant)):
            piece = plan.pieces[number - 1]
            signed = ((piece.part, 1), (piece.taken_off, -1))
            found += [(part, sign, row) for part, sign in signed if part is not None]
    return found


async def _left_out(
    tx: Tx, begins: Sequence[datetime], until: datetime, tenant: str | None, spans: Spans
) -> Sequence[Row]:
    """Return the valid and bad calls of spans by part, service and category."""
    span = Span(begins[0], until)
    named = [
        (service.value, part.since, part.until)
        for service, some in spans.items()
        for one in some
        if (part := one.overlap(span))
    ]
    if not named:
        return []
    services, since, until_ = (list(column) for column in zip(*named, strict=True))
    return await _asked(tx, _LEFT_OUT, begins, services, tenant, since, until_)


async def _asked(
    tx: Tx, sql: str, first: object, second: object, tenant: str | None, *more: object
) -> Sequence[Row]:
    if tenant:
        return await tx.fetch(sql, first, second, [tenant, PROBE], *more)
    of_all = sql.replace("ledger_minute", "platform_minute")
    of_all = of_all.replace("tenant_id = ANY($3)", "$3::text[] IS NULL")
    return await tx.fetch(of_all, first, second, None, *more)
