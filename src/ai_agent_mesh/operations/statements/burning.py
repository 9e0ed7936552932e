"""How fast each objective's budget is spent, and where that leads by the month's end."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

import msgspec

from ai_agent_mesh.kernel.spans import MINUTE
from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.model import Calls
from ai_agent_mesh.operations.statements.slos import PLATFORM, Ahead, Burning, Slo
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.playbook.units import DURATION
from ai_agent_mesh.sla import (
    BurnRate,
    Requests,
    Service,
    allowed_budget,
    budget_lasts,
    budget_left,
    burn_rate,
)

#: Calls, and by service the bad ones that a silent probe stands for.
Seen = tuple[Sequence[Calls], Mapping[Service, int]]
#: By window: what it holds, and the burn rate above which it alarms.
Windows = Mapping[timedelta, tuple[Seen, Fraction]]


def goal_of(slo: Slo) -> Fraction:
    """Return the share that an objective asks for."""
    return Fraction(slo.objective.removesuffix("%")) / 100


def burnt(slo: Slo, statement: Statement, windows: Windows) -> Slo:
    """Return an objective with its burn by window and the projection of the longest."""
    rows, longest = [], None
    goal = goal_of(slo)
    for length, (seen_by_all, factor) in sorted(windows.items()):
        seen = requests(slo, *seen_by_all)
        longest = burn_rate(seen, goal)
        rows.append(
            Burning(
                window=str(DURATION.write(length)),
                valid=seen.valid,
                bad=seen.bad,
                rate=_rate_text(longest),
                alarms_above=decimal_text(factor) if (1 - goal) * factor < 1 else None,
            )
        )
    ahead = None if longest is None else _ahead(slo, statement, longest)
    return msgspec.structs.replace(slo, burn=tuple(rows), ahead=ahead)


def requests(slo: Slo, calls: Sequence[Calls], silent: Mapping[Service, int]) -> Requests:
    """Return the valid and the bad requests of a window that an objective sees."""
    if slo.kind == "availability":
        everything = slo.service == PLATFORM
        mine = [one for one in calls if everything or one.service == slo.service]
        away = sum(n for service, n in silent.items() if everything or service == slo.service)
        valid, bad = sum(one.valid for one in mine), sum(one.bad for one in mine)
        return Requests(valid + away, bad + away)
    mine = [one for one in calls if one.category == slo.category]
    timed = sum(one.timed for one in mine)
    return Requests(timed, timed - sum(_within(one, slo.percentile) for one in mine))


def _within(calls: Calls, percentile: str | None) -> int:
    kept = {"p50": calls.within_p50, "p95": calls.within_p95, "p99": calls.within_p99}
    return kept[percentile or ""]


def period(slo: Slo, statement: Statement) -> int:
    """Return how many minutes the month's budget is spread over: those that count, so far and to
    come; and for calls, since nobody knows how many there will be, all of them."""
    if slo.kind == "availability":
        return slo.counted + minutes_ahead(statement)
    return (statement.asked_until - statement.since) // MINUTE


def minutes_ahead(statement: Statement) -> int:
    """Return how many minutes of the month are to come."""
    return (statement.asked_until - statement.until) // MINUTE


def _ahead(slo: Slo, statement: Statement, rate: BurnRate) -> Ahead:
    """Project: the budget grows evenly with the month, and the rest of it burns at one rate.

    With the share e of the month elapsed and r of its budget so far left, 1 - e(1 - r) is left of
    the whole month's; the rest of the month takes rate × (1 - e) away.
    """
    whole = period(slo, statement)
    rest = Fraction(minutes_ahead(statement), whole)
    so_far = budget_left(allowed_budget(goal_of(slo), slo.counted), Fraction(slo.missed))
    left = 1 - (1 - rest) * (1 - so_far)
    lasts = budget_lasts(left, rate, whole * MINUTE)
    ends = None if lasts is None else statement.until + lasts
    projected = None if isinstance(rate, float) else left - rate * rest
    return Ahead(
        month_remaining_ratio=decimal_text(left),
        projected_remaining_ratio="0" if projected is None else decimal_text(projected),
        exhausted_at=ends if ends is not None and ends < statement.asked_until else None,
    )


def _rate_text(rate: BurnRate | None) -> str | None:
    if rate is None:
        return None
    return "infinite" if isinstance(rate, float) else decimal_text(rate)
