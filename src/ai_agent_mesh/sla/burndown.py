"""How an error budget goes down over its period: what was spent by which moment."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla.minutes import MINUTE, minute_number, moment_of


class Spent(NamedTuple):
    """How many minutes of a budget were spent by a moment, all since the period's begin."""

    at: datetime
    minutes: Fraction


def spent_in(lost: Sequence[int], span: Span, step: timedelta) -> tuple[Spent, ...]:
    """Return what lost minutes, ascending by number, had spent at the end of each step of a span.

    Steps end with the clock's (each hour, each day), the last one with the span, whose point tells
    all of them. A level stretch is told by its ends.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 1, tzinfo=UTC)
    >>> first = minute_number(at)
    >>> points = spent_in([first + 70, first + 71], Span(at, at + timedelta(hours=5)),
    ...                   timedelta(hours=1))
    >>> [(point.at.hour, int(point.minutes)) for point in points]
    [(0, 0), (1, 0), (2, 2), (5, 2)]
    """
    begin = bisect_left(lost, minute_number(span.since))
    done = [(at, bisect_left(lost, minute_number(at)) - begin) for at in _moments(span, step)]
    inner = (
        here
        for before, here, after in zip(done, done[1:], done[2:], strict=False)
        if not before[1] == here[1] == after[1]
    )
    return tuple(Spent(at, Fraction(n)) for at, n in (done[0], *inner, *done[1:][-1:]))


def spent_by(total: Fraction, parts: Iterable[tuple[Span, Fraction]]) -> tuple[Spent, ...]:
    """Return how a total was spent over adjoining spans, each weighing what it weighs.

    For methods that count requests: they name no minutes, so each part of the period bears its
    share of what was lost in all; where none weighs anything, by its length.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3)]
    >>> parts = [(Span(at[0], at[1]), Fraction(3)), (Span(at[1], at[2]), Fraction(1))]
    >>> [(point.at.day, int(point.minutes)) for point in spent_by(Fraction(8), parts)]
    [(1, 0), (2, 6), (3, 8)]
    """
    told = list(parts)
    if not told:
        return ()
    weights = [weight for _, weight in told]
    if not any(weights):
        weights = [Fraction(span.length // timedelta.resolution) for span, _ in told]
    whole = sum(weights, Fraction(0))
    ends = (
        Spent(span.until, total * done / whole)
        for (span, _), done in zip(told, accumulate(weights), strict=True)
    )
    return (Spent(told[0][0].since, Fraction(0)), *ends)


def _moments(span: Span, step: timedelta) -> Iterator[datetime]:
    yield span.since
    each = step // MINUTE
    first = (minute_number(span.since) // each + 1) * each
    yield from map(moment_of, range(first, minute_number(span.until), each))
    if span.length:
        yield span.until
