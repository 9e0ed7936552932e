"""How ninety days become bars: geometry and words, so that neither needs colour to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ai_agent_mesh.operations.status import Component, Day, State
from ai_agent_mesh.sla import percent_text

HEIGHT = 40
#: A day that was not measured is a stub; a marred one leaves a gap below its dark top.
STUB = 10
GAP = 3
SIGNS = {
    State.OPERATIONAL: "✓",
    State.UNKNOWN: "?",
    State.MAINTENANCE: "⚒",
    State.DEGRADED: "~",
    State.PARTIAL: "!",
    State.MAJOR: "✕",
}

#: How much of a bar is dark, from which share of the day on. One lost minute must still be seen.
_DARK = (
    (Fraction(1, 2), 32),
    (Fraction(1, 8), 25),
    (Fraction(1, 48), 19),
    (Fraction(1, 288), 14),
    (Fraction(0), 9),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day as drawn: `top` and `down` are heights in a drawing of `HEIGHT`."""

    kind: str
    top: int
    down: int
    words: str


def bar(day: Day) -> Bar:
    """Return how a day is drawn and said."""
    date, left_out = day.day.isoformat(), ""
    if day.excluded:
        left_out = f"; {duration(day.excluded)} of maintenance left out"
    if day.uptime is None:
        return Bar("none", HEIGHT - STUB, 0, f"{date}: not measured{left_out}")
    if not day.unavailable:
        return Bar("up", 0, 0, f"{date}: no unavailable minute{left_out}")
    share = 1 - day.uptime
    words = f"{date}: {duration(day.unavailable)} unavailable, uptime {short(day.uptime)}{left_out}"
    if share == 1:
        return Bar("out", HEIGHT, HEIGHT, words)
    dark = next(height for least, height in _DARK if share >= least)
    return Bar("part", dark + GAP, dark, words)


def summary(component: Component, name: str) -> str:
    """Say in one sentence what the bars show."""
    measured = [day for day in component.days if day.judged]
    if not measured:
        return f"{name}: not measured in the past {len(component.days)} days."
    troubled = [day for day in measured if day.unavailable]
    text = f"{name}: {short(component.uptime)} uptime over {counted(measured, 'measured day')}"
    if not troubled:
        return f"{text}, no unavailable minute."
    lost = duration(sum(day.unavailable for day in troubled))
    return f"{text}; {lost} unavailable on {counted(troubled, 'day')}."


def uptime(component: Component) -> str:
    """Return the uptime below the bars, and over how many days where it is not all of them."""
    measured = sum(1 for day in component.days if day.judged)
    if not measured:
        return "not measured"
    text = f"{short(component.uptime)} uptime"
    return (
        text
        if measured == len(component.days)
        else f"{text} over {measured} day{'' if measured == 1 else 's'}"
    )


def short(share: Fraction | None) -> str:
    """Return a share for people: at most three decimals, cut off so that it never flatters."""
    return "–" if share is None else percent_text(share, 3)


def duration(minutes: int) -> str:
    """Return minutes in words.

    >>> duration(1), duration(61), duration(120)
    ('1 minute', '1 h 1 min', '2 h')
    """
    if minutes == 1:
        return "1 minute"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} minutes"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def counted(things: Sequence[object], word: str) -> str:
    """Return how many there are, in the right number."""
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
