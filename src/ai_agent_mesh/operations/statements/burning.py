"""How fast each objective's budget is spent, and where that leads by the month's end."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

import msgspec

from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.model import Calls
from ai_agent_mesh.operations.statements.slos import PLATFORM, Ahead, Burning, Slo
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.playbook.units import DURATION
from ai_agent_mesh.sla import BurnRate, Requests, Service, budget_lasts, burn_rate

#: By window: its calls, and by service the bad ones that a silent probe stands for.
Windows = Mapping[timedelta, tuple[Sequence[Calls], Mapping[Service, int]]]


def burnt(slo: Slo, statement: Statement, windows: Windows) -> Slo:
    """Return an objective with its burn by window and the projection of the longest."""
    rows, longest = [], None
    goal = Fraction(slo.objective.removesuffix("%")) / 100
    for length, (calls, silent) in sorted(windows.items()):
        seen = requests(slo, calls, silent)
        longest = burn_rate(seen, goal)
        rows.append(
            Burning(
                window=str(DURATION.write(length)),
                valid=seen.valid,
                bad=seen.bad,
                rate=_rate_text(longest),
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


def _ahead(slo: Slo, statement: Statement, rate: BurnRate) -> Ahead:
    """Project: the budget grows evenly with the month, and the rest of it burns at one rate.

    With the share e of the month elapsed and r of its budget so far left, 1 - e(1 - r) is left of
    the whole month's; the rest of the month takes rate × (1 - e) away.
    """
    whole = statement.asked_until - statement.since
    tick = timedelta.resolution
    elapsed = Fraction((statement.until - statement.since) // tick, whole // tick)
    left = 1 - elapsed * (1 - Fraction(slo.budget_remaining_ratio))
    lasts = budget_lasts(left, rate, whole)
    ends = None if lasts is None else statement.until + lasts
    projected = None if isinstance(rate, float) else left - rate * (1 - elapsed)
    return Ahead(
        month_remaining_ratio=decimal_text(left),
        projected_remaining_ratio="0" if projected is None else decimal_text(projected),
        exhausted_at=ends if ends is not None and ends < statement.asked_until else None,
    )


def _rate_text(rate: BurnRate | None) -> str | None:
    if rate is None:
        return None
    return "infinite" if isinstance(rate, float) else decimal_text(rate)
