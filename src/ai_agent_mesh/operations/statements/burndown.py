"""How a budget of availability went down over the month, day by day and to the hour."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from operator import itemgetter

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements.burning import Seen, goal_of, period, requests
from ai_agent_mesh.operations.statements.slos import PLATFORM, Slo
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.sla import (
    BurnRate,
    Requests,
    allowed_budget,
    budget_left,
    burn_rate,
    spans_of,
    spent_by,
    spent_in,
    started_in,
)

#: Fine enough for a drawing of a month, and few enough points for one.
_STEP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class BurnDay:
    """One day of an objective: its requests, how fast they burned, what was left at its end."""

    span: Span
    requests: Requests
    burn: BurnRate | None
    left: Fraction


@dataclass(frozen=True, slots=True)
class Burndown:
    """How much of the month's whole budget was left at each moment, as a share; negative when
    overspent. The last point is the present; an hour of a slope is told by its two ends."""

    slo: Slo
    #: What is judged: the month, or since the tenant began or came to its present tier.
    span: Span
    until: datetime
    points: tuple[tuple[datetime, Fraction], ...]
    days: tuple[BurnDay, ...]
    outages: tuple[Span, ...]


def burndown(slo: Slo, statement: Statement, days: Sequence[tuple[Span, Seen]]) -> Burndown:
    """Return how one availability objective of a statement went; `days` are the statement's.

    By a method that names minutes the budget goes down with them; by one that counts requests each
    day bears the share that its bad requests are of all.
    """
    part = statement.parts[-1]
    span, goal = Span(part.since, part.until), goal_of(slo)
    seen = [(day, requests(slo, *found)) for whole, found in days if (day := whole.overlap(span))]
    lost = _lost(slo, statement, span)
    if part.minutes.unavailable is not None:
        spent = spent_in(lost, span, _STEP)
    else:
        spent = spent_by(Fraction(slo.missed), [(day, Fraction(got.bad)) for day, got in seen])
    allowed = allowed_budget(goal, period(slo, statement))
    points = tuple((one.at, budget_left(allowed, one.minutes)) for one in spent)
    return Burndown(
        slo=slo,
        span=span,
        until=statement.asked_until,
        points=points,
        days=tuple(
            BurnDay(day, found, burn_rate(found, goal), _left_at(day.until, points))
            for day, found in seen
        ),
        outages=spans_of(lost),
    )


def _lost(slo: Slo, statement: Statement, span: Span) -> list[int]:
    """Return the unavailable minutes of a span that an objective answers for, ascending."""
    minutes = (
        started_in(part)
        for one in statement.unavailable
        if slo.service == PLATFORM or slo.service in one.services
        if (part := Span(one.since, one.until).overlap(span))
    )
    return [minute for found in minutes for minute in found]


def _left_at(at: datetime, points: Sequence[tuple[datetime, Fraction]]) -> Fraction:
    """Return what was left at a day's end: that of a point, or of the level stretch it lies in."""
    return points[bisect_right(points, at, key=itemgetter(0)) - 1][1]
