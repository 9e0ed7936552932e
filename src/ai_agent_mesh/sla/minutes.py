"""Minutes as numbers since 1970 in UTC, and what was counted in them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla.tokens import Service

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MinuteCount(NamedTuple):
    """Valid and bad requests of a service in one minute.

    Several counts of the same minute and service add up.
    """

    minute: int
    service: Service
    valid: int
    bad: int


def minute_number(at: datetime) -> int:
    """Return the number of the minute that an aware moment lies in.

    >>> minute_number(datetime(2026, 11, 1, 0, 1, 59, tzinfo=UTC))
    29891521
    """
    return (at - EPOCH) // MINUTE


def moment_of(minute: int) -> datetime:
    """Return the moment at which a minute starts, in UTC."""
    return EPOCH + minute * MINUTE


def started_in(span: Span) -> range:
    """Return the minutes that start inside a span, so that adjoining spans share none.

    >>> month = Span(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    >>> len(started_in(month))
    40320
    """
    return range(-((EPOCH - span.since) // MINUTE), -((EPOCH - span.until) // MINUTE))


def wholly_in(span: Span) -> range:
    """Return the minutes that lie in a span from their start to their end."""
    return range(started_in(span).start, minute_number(span.until))


def spans_of(minutes: Iterable[int]) -> tuple[Span, ...]:
    """Return minutes, in ascending order, as spans without a gap inside.

    >>> [str(span.length) for span in spans_of([7, 8, 9, 20])]
    ['0:03:00', '0:01:00']
    """
    runs: list[list[int]] = []
    for minute in minutes:
        if runs and minute == runs[-1][1]:
            runs[-1][1] = minute + 1
        else:
            runs.append([minute, minute + 1])
    return tuple(Span(moment_of(since), moment_of(until)) for since, until in runs)
