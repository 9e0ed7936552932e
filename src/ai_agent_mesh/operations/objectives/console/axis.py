"""Where a moment of the month lies across a drawing, and how a share of the width is written.

Across, everything is a share of the width, so that a drawing fits any screen with its words at
their own size; down, everything is in pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import Span

_DAY = timedelta(days=1)
#: A day's number is written every so many days: there must be room for it on a narrow screen.
_NUMBERED = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of the width, and what is to be said of it."""

    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A span laid out from the left edge to the right one."""

    span: Span

    def of(self, at: datetime) -> float:
        """Return where a moment lies, from 0 to 1; what lies outside is put on the edge."""
        return min(max((at - self.span.since) / self.span.length, 0.0), 1.0)

    def percent(self, at: datetime) -> str:
        """Return where a moment lies, as SVG takes it."""
        return percent(self.of(at))

    def point(self, at: datetime, y: float) -> str:
        """Return a corner of a line, in a drawing that is 1000 wide and stretched."""
        return f"{self.of(at) * 1000:.2f},{y:.2f}"

    def mark(self, span: Span, words: str) -> Mark:
        """Return a span as part of the width."""
        left, right = self.of(span.since), self.of(span.until)
        return Mark(percent(left), percent(right - left), words)

    def days(self) -> Iterator[tuple[str, str]]:
        """Yield where the middle of a day lies and its number, for those that are written."""
        count = self.span.length // _DAY
        for number in (1, *range(_NUMBERED, count + 1, _NUMBERED)):
            middle = self.span.since + _DAY * number - _DAY / 2
            yield self.percent(middle), str(middle.day)


def percent(share: float) -> str:
    """Return a share of the width.

    >>> percent(0.25), percent(1 / 3)
    ('25%', '33.333%')
    """
    return f"{share * 100:.3f}".rstrip("0").rstrip(".") + "%"


def together(spans: Iterable[Span], gap: timedelta) -> list[Span]:
    """Return spans in order, joining those that lie closer than could be told apart.

    >>> from datetime import UTC
    >>> at = lambda hour: datetime(2026, 11, 5, hour, tzinfo=UTC)
    >>> [span.length.seconds // 3600 for span in
    ...  together([Span(at(1), at(2)), Span(at(3), at(4)), Span(at(9), at(10))], _DAY / 12)]
    [3, 1]
    """
    joined: list[Span] = []
    for span in spans:
        if joined and span.since - joined[-1].until < gap:
            joined[-1] = Span(joined[-1].since, max(joined[-1].until, span.until))
        else:
            joined.append(span)
    return joined
