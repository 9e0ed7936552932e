"""Half-open spans of time, calendar months in UTC, and minutes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ai_agent_mesh.kernel.errors import Fault, Invalid

MINUTE = timedelta(minutes=1)


class MalformedMonth(Invalid):
    """{text!r} is not a month; write it as YYYY-MM."""


class BackwardSpan(Invalid):
    """A span must end after it starts."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `since` (inside) to `until` (outside), both aware."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise BackwardSpan(faults=[Fault("until", "must not be before since")])

    @property
    def length(self) -> timedelta:
        """Return how long it lasts."""
        return self.until - self.since

    def holds(self, at: datetime) -> bool:
        """Tell whether the moment lies inside."""
        return self.since <= at < self.until

    @property
    def months(self) -> tuple["Month", ...]:
        """Return the calendar months that it touches; of an empty span the one it lies in.

        >>> at = lambda month: datetime(2026, month, 1, tzinfo=UTC)
        >>> [str(month) for month in Span(at(10), at(12)).months]
        ['2026-10', '2026-11']
        """
        found = [Month.of(self.since)]
        while found[-1].until < self.until:
            found.append(found[-1].next())
        return tuple(found)

    def overlap(self, other: "Span") -> "Span | None":
        """Return the part that both share, or None."""
        since, until = max(self.since, other.since), min(self.until, other.until)
        return Span(since, until) if since < until else None


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `2026-11`.

        Raises:
            MalformedMonth: it is anything else.
        """
        found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
        if found is None or not 1 <= int(found[1]) < 9999:
            reason = "write it as YYYY-MM"
            raise MalformedMonth(text=text[:40], faults=[Fault("month", reason)])
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """Return the month that a moment lies in."""
        utc = at.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def since(self) -> datetime:
        """Return its first moment."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """Return the first moment after it."""
        return self.next().since

    @property
    def span(self) -> Span:
        """Return it as a half-open span."""
        return Span(self.since, self.until)

    @property
    def minutes(self) -> int:
        """Return how many minutes it has.

        >>> Month(2026, 2).minutes
        40320
        """
        return (self.until - self.since) // MINUTE

    def next(self) -> "Month":
        """Return the month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def minute_of(at: datetime) -> datetime:
    """Return the start of the minute that a moment lies in."""
    return at.replace(second=0, microsecond=0)


def whole_minutes(span: Span) -> Span:
    """Return the largest span of whole minutes that lies inside `span` (empty if there is none)."""
    since = minute_of(span.since + MINUTE - timedelta(microseconds=1))
    return Span(since, max(since, minute_of(span.until)))
