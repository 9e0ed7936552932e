"""Weekly windows, business days, promises of an answer, and spans that calendars measure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum

from ai_agent_mesh.kernel.spans import Span

_DAY = timedelta(days=1)
_SATURDAY = 5


class Weekday(IntEnum):
    """A day of the week, Monday being 0 as `date.weekday` counts."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """A part of one day that comes back every week, half-open, in UTC; `closes` 00:00 is midnight."""  # noqa: E501

    weekday: Weekday
    opens: time
    closes: time

    def on(self, day: date) -> Span:
        """Return the window of the week's day on or after `day`.

        >>> sundays = WeeklyWindow(Weekday.SUNDAY, time(2), time(6))
        >>> sundays.on(date(2026, 11, 4)).since.isoformat()
        '2026-11-08T02:00:00+00:00'
        """
        day += timedelta(days=(self.weekday - day.weekday()) % 7)
        ends = day + _DAY if self.closes == time() else day
        return Span(
            datetime.combine(day, self.opens, UTC), datetime.combine(ends, self.closes, UTC)
        )

    def covers(self, span: Span) -> bool:
        """Tell whether a span lies wholly inside one of its windows."""
        window = self.on(span.since.astimezone(UTC).date())
        return window.since <= span.since and span.until <= window.until


@dataclass(frozen=True, slots=True, order=True)
class BusinessDays:
    """So many working days, Monday to Friday; the time of day stays as it is."""

    days: int

    def after(self, at: datetime) -> datetime:
        """Return the moment that many working days later; a weekend's start counts from Monday.

        >>> BusinessDays(1).after(datetime(2026, 11, 6, 15, tzinfo=UTC)).isoformat()
        '2026-11-09T15:00:00+00:00'
        """
        left = self.days
        while left:
            at += _DAY
            left -= at.weekday() < _SATURDAY
        return at


class BestEffort(Enum):
    """No time is promised."""

    BEST_EFFORT = "best effort"


#: When somebody will answer.
Response = timedelta | BusinessDays | BestEffort


def due(at: datetime, promised: Response) -> datetime | None:
    """Return the moment by which an answer is due; None where no time is promised.

    >>> due(datetime(2026, 11, 6, 15, tzinfo=UTC), BestEffort.BEST_EFFORT) is None
    True
    """
    match promised:
        case BusinessDays():
            return promised.after(at)
        case timedelta():
            return at + promised
        case BestEffort():
            return None


@dataclass(frozen=True, slots=True, order=True)
class Years:
    """So many calendar years."""

    years: int

    def after(self, at: datetime) -> datetime:
        """Return the same moment that many years later; the 29th of February may become the 1st of March.

        >>> Years(7).after(datetime(2024, 2, 29, tzinfo=UTC)).date().isoformat()
        '2031-03-01'
        """  # noqa: E501
        try:
            return at.replace(year=at.year + self.years)
        except ValueError:
            return at.replace(year=at.year + self.years, month=3, day=1)
