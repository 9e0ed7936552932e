"""How fast a budget burned as drawings: day by day over the month, and over each window now.

Rates lie on a scale of powers of ten: a calm month and an outage are both to be seen.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.objectives.console.axis import Axis, percent
from ai_agent_mesh.operations.objectives.console.words import rate
from ai_agent_mesh.operations.statements import BurnDay, Burndown, Burning, Slo
from ai_agent_mesh.sla import BurnRate

_TOP, _BOTTOM = 30, 120
#: The scale's lower end, and the least that its upper end is.
_LEAST, _MOST = -1, 1
#: How much of a day's width its bar takes.
_BAR = 0.7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A day: `kind` says in shape how fast it burned, `words` in full."""

    kind: str
    x: str
    middle: str
    width: str
    y: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A rate that matters, with its words."""

    kind: str
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class BurnDrawing:
    """All that is drawn of a month's days."""

    summary: str
    bars: Sequence[Bar]
    lines: Sequence[Line]
    #: Where the highest day's rate is written, and at which side of that point.
    peak: tuple[str, float, str, str] | None
    base: float
    days: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Meter:
    """A window's rate on a line: how far it reaches, and where it would alarm."""

    window: str
    rate: str
    alarms_above: str
    reach: str
    alarm: str | None
    even: str
    burning: bool
    valid: int
    bad: int


def burn_drawing(one: Burndown, month: Span) -> BurnDrawing:
    """Return the drawing of how fast an objective's budget burned, day by day."""
    axis, alarm = Axis(month), _daily_alarm(one.slo)
    rates = [day.burn for day in one.days if day.burn is not None]
    top = _top([*rates, *([alarm] if alarm else [])])
    return BurnDrawing(
        summary=_summary(one.days, alarm),
        bars=[_bar(day, axis, top, alarm) for day in one.days],
        lines=list(_lines(top, alarm)),
        peak=_peak(one.days, axis, top),
        base=_BOTTOM,
        days=list(axis.days()),
    )


def meters(slo: Slo) -> Sequence[Meter]:
    """Return each window of an objective, all on one scale."""
    told = [(one, _read(one.rate), _read(one.alarms_above)) for one in slo.burn]
    top = _top([figure for _, *both in told for figure in both if figure is not None])
    return [_meter(one, now, alarm, top) for one, now, alarm in told]


def _meter(one: Burning, now: BurnRate | None, alarm: BurnRate | None, top: int) -> Meter:
    return Meter(
        window=one.window,
        rate=rate(now),
        alarms_above="no rate" if alarm is None else rate(alarm),
        reach=percent(_reach(now or Fraction(0), top)),
        alarm=None if alarm is None else percent(_reach(alarm, top)),
        even=percent(_reach(Fraction(1), top)),
        burning=now is not None and alarm is not None and now > alarm,
        valid=one.valid,
        bad=one.bad,
    )


def _read(text: str | None) -> BurnRate | None:
    if text is None:
        return None
    return math.inf if text == "infinite" else Fraction(text)


def _top(rates: Sequence[BurnRate]) -> int:
    """Return the power of ten that the scale ends at."""
    finite = [figure for figure in rates if 0 < figure != math.inf]
    return max(_MOST, math.ceil(math.log10(max(finite, default=1))))


def _reach(figure: BurnRate, top: int) -> float:
    """Return how far a rate lies up the scale, from 0 to 1; what is not 0 is seen."""
    if figure == 0:
        return 0.0
    if figure == math.inf:
        return 1.0
    way = (math.log10(figure) - _LEAST) / (top - _LEAST)
    return min(max(way, 0.02), 1.0)


def _y(figure: BurnRate, top: int) -> float:
    return _BOTTOM - _reach(figure, top) * (_BOTTOM - _TOP)


def _daily_alarm(slo: Slo) -> BurnRate | None:
    """Return the rate above which a window of a day alarms, where there is one."""
    found = [one.alarms_above for one in slo.burn if one.window in {"1d", "24h"}]
    return _read(found[0]) if found else None


def _bar(day: BurnDay, axis: Axis, top: int, alarm: BurnRate | None) -> Bar:
    burn, left = day.burn, axis.of(day.span.since)
    width = axis.of(day.span.since + _DAY) - left
    y = _y(burn or Fraction(0), top)
    return Bar(
        kind=_kind(burn, alarm),
        x=percent(left + width * (1 - _BAR) / 2),
        middle=percent(left + width / 2),
        width=percent(width * _BAR),
        y=y if burn else _BOTTOM - 2,
        height=_BOTTOM - y if burn else 2,
        words=f"{day.span.since:%-d %B}: {_said(day)}",
    )


def _said(day: BurnDay) -> str:
    if day.burn is None:
        return "no valid call"
    return f"burn rate {rate(day.burn)}"


def _kind(burn: BurnRate | None, alarm: BurnRate | None) -> str:
    if burn is None:
        return "none"
    if alarm is not None and burn > alarm:
        return "alarming"
    return "fast" if burn > 1 else "calm"


def _lines(top: int, alarm: BurnRate | None) -> Iterator[Line]:
    yield Line("even", _y(Fraction(1), top), "1: evenly spent")
    if alarm is not None:
        yield Line("alarm", _y(alarm, top), f"{rate(alarm)}: a day alarms above it")


def _peak(days: Sequence[BurnDay], axis: Axis, top: int) -> tuple[str, float, str, str] | None:
    """Return where the fastest day's rate is written, if it burned at all fast."""
    fast = [(day.burn, day) for day in days if day.burn is not None and day.burn > 1]
    if not fast:
        return None
    burn, day = max(fast, key=lambda one: one[0])
    way = axis.of(day.span.since + (_DAY / 2))
    side = "start" if way < 1 / 4 else "end" if way > 3 / 4 else "middle"
    return percent(way), _y(burn, top) - 6, f"{rate(burn)} on {day.span.since:%-d %b}", side


def _summary(days: Sequence[BurnDay], alarm: BurnRate | None) -> str:
    told = [(day.burn, day) for day in days if day.burn is not None]
    if not told:
        return "No valid call has been judged in this month yet."
    burn, day = max(told, key=lambda one: one[0])
    fast = sum(1 for one, _ in told if one > 1)
    text = f"On {fast} of {len(told)} days with calls the budget burned faster than evenly"
    if alarm is not None:
        over = sum(1 for one, _ in told if one > alarm)
        text += f", on {over} faster than a day's alarm ({rate(alarm)})"
    return f"{text}; the highest rate was {rate(burn)} on {day.span.since:%-d %B}."
