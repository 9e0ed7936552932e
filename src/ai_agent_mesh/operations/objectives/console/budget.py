"""An error budget over the month as a drawing: what was left, what may be, and what spent it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.objectives.console.axis import Axis, Mark, together
from ai_agent_mesh.operations.objectives.console.words import moment, share
from ai_agent_mesh.operations.objectives.standing import Work
from ai_agent_mesh.operations.statements import PLATFORM, Burndown

_TOP, _BOTTOM = 46, 206
#: A line of words, and how near another one may come.
_LINE = 16
#: More than this overspent is drawn at the edge, and told in words: else nothing else is seen.
_DEEPEST = Fraction(-1)
#: Words fit into so much of the width, also on a narrow screen.
_ROOMY = 0.4
#: Outages closer than this are one mark.
_GAP = timedelta(hours=3)


#: How the month may end: a kind of line, words, and what is left then.
End = tuple[str, str, Fraction]


@dataclass(frozen=True, slots=True)
class Level:
    """A height with its words; `words_y` is where they stand."""

    y: float
    words: str
    words_y: float


@dataclass(frozen=True, slots=True)
class Ending:
    """How the month may end: a line from now to its right edge."""

    kind: str
    line: tuple[float, float]
    label: Level


@dataclass(frozen=True, slots=True)
class BudgetDrawing:
    """All that is drawn, as heights in pixels and shares of the width."""

    summary: str
    levels: Sequence[Level]
    even: str
    line: str
    #: Where the present is, as a share of the width and a height; None before anything is judged.
    now: tuple[str, float] | None
    now_left: bool
    endings: Sequence[Ending]
    outages: Sequence[Mark]
    works: Sequence[tuple[Mark, bool]]
    before: Mark | None
    #: Whether there is room for what `before` says.
    before_said: bool
    days: Sequence[tuple[str, str]]


def budget_drawing(one: Burndown, works: Sequence[Work], month: Span) -> BudgetDrawing:
    """Return the drawing of one objective's budget over a month."""
    axis, ends = Axis(month), _ends(one)
    lows = [left for _, left in one.points] + [left for _, _, left in ends]
    floor = _floor(min(lows, default=Fraction(0)))
    scale = _Scale(floor)
    measured = bool(one.span.length)
    until = min(one.until, month.until)
    return BudgetDrawing(
        summary=_summary(one, ends),
        levels=list(_levels(floor, scale, min(lows, default=floor))),
        even=f"{axis.point(one.span.since, scale.y(1))} {axis.point(until, scale.y(0))}",
        line=" ".join(axis.point(at, scale.y(left)) for at, left in one.points),
        now=(axis.percent(one.span.until), scale.y(one.points[-1][1])) if measured else None,
        now_left=axis.of(one.span.until) > 1 / 2,
        endings=list(_endings(one, ends, scale)) if measured else [],
        outages=[
            axis.mark(span, f"Unavailable: {moment(span.since)} to {moment(span.until)}")
            for span in together(one.outages, _GAP)
        ],
        works=[(axis.mark(work.span, _work(work)), work.excluded) for work in _shown(one, works)],
        before=axis.mark(
            Span(month.since, one.span.since), f"Judged since {moment(one.span.since)}"
        )
        if one.span.since - month.since >= MINUTE
        else None,
        before_said=axis.of(one.span.since) > _ROOMY,
        days=list(axis.days()),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    floor: Fraction

    def y(self, left: Fraction | int) -> float:
        """Return the height of a share that is left."""
        kept = max(Fraction(left), self.floor)
        return _TOP + float((1 - kept) / (1 - self.floor)) * (_BOTTOM - _TOP)


def _floor(lowest: Fraction) -> Fraction:
    """Return what the bottom edge stands for.

    >>> [str(_floor(Fraction(n, 100))) for n in (30, 0, -7, -60, -900)]
    ['0', '0', '-1/4', '-1', '-1']
    """
    steps = (Fraction(0), Fraction(-1, 4), Fraction(-1, 2))
    return next((step for step in steps if lowest >= step), _DEEPEST)


def _levels(floor: Fraction, scale: _Scale, lowest: Fraction) -> Iterator[Level]:
    for left in (Fraction(1), Fraction(1, 2), Fraction(0), *((floor,) if floor else ())):
        y, below = scale.y(left), " and below" if lowest < floor == left else ""
        yield Level(y, share(left) + below, y - 4)


def _ends(one: Burndown) -> Sequence[End]:
    """Return how the month may end: a kind, words, and the share that is left then."""
    if not one.span.length or one.span.until >= one.until:
        return []
    left, ahead = one.points[-1][1], one.slo.ahead
    if ahead is None:
        return [("still", "if nothing more fails", left)]
    burnt = Fraction(ahead.projected_remaining_ratio)
    if share(burnt) == share(left):
        return [("still", "either way", left)]
    return [("still", "if nothing more fails", left), ("going", "if it burns on", burnt)]


def _endings(one: Burndown, ends: Sequence[End], scale: _Scale) -> Iterator[Ending]:
    """Yield the lines from now on, their words above them and clear of each other."""
    start, taken = scale.y(one.points[-1][1]), math.inf
    for kind, words, left in sorted(ends, key=lambda end: end[2]):
        y = scale.y(left)
        taken = min(y - 6, taken - _LINE)
        yield Ending(kind, (start, y), Level(y, f"{share(left)} {words}", taken))


def _shown(one: Burndown, works: Sequence[Work]) -> Iterator[Work]:
    """Yield the planned work that concerns an objective."""
    return (work for work in works if one.slo.service in {PLATFORM, *work.services})


def _work(work: Work) -> str:
    effect = "its minutes are left out" if work.excluded else "its minutes are judged"
    since, until = moment(work.span.since), moment(work.span.until)
    return f"Maintenance, {work.title}: {since} to {until}; {effect}"


def _summary(one: Burndown, ends: Sequence[End]) -> str:
    """Say in words what the drawing shows."""
    if not one.span.length:
        return "Nothing has been judged yet: no whole minute of this month has passed."
    parts = [
        f"By {moment(one.span.until)} {share(one.points[-1][1])} of the month's budget is left"
    ]
    parts += [f"{share(left)} will be at its end {words}" for _, words, left in ends]
    lost = sum((span.length for span in one.outages), timedelta(0)) // MINUTE
    if one.outages:
        times = "1 outage" if len(one.outages) == 1 else f"{len(one.outages)} outages"
        parts.append(f"{lost} unavailable minutes spent it, in {times}")
    return "; ".join(parts) + "."
