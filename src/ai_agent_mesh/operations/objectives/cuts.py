"""How the parts of a span are added up from whole days and as few single minutes as will do."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Minutes of one day: the part that has them, and the part whose day has them too many.

    Parts are told by their place; `part` is None outside of all of them.
    """

    since: datetime
    until: datetime
    part: int | None
    taken_off: int | None = None


@dataclass(frozen=True, slots=True)
class Cuts:
    """The part that each day is booked on, and the pieces that set it right."""

    days: Mapping[date, int]
    pieces: Sequence[Piece]


def cuts(begins: Sequence[datetime], until: datetime) -> Cuts:
    """Return how to add up the parts between each begin, ascending in UTC, and the next (or `until`).

    A day that is cut is booked on the part that has most of it, and all else in it is taken off,
    unless more minutes come before the first begin than that part has. What comes after `until` is
    taken to be little: mostly it is the present.

    >>> at = lambda day, hour=0: datetime(2026, 11, day, hour)
    >>> found = cuts([at(1), at(2, 22)], at(4, 1))
    >>> {day.day: part for day, part in found.days.items()}
    {1: 0, 2: 0, 3: 1, 4: 1}
    >>> [(f"{one.since:%d %H}-{one.until:%H}", one.part, one.taken_off) for one in found.pieces]
    [('02 22-00', 1, 0), ('04 01-00', None, 1)]
    """  # noqa: E501
    days: dict[date, int] = {}
    pieces: list[Piece] = []
    midnight = begins[0].replace(hour=0, minute=0, second=0, microsecond=0)
    while max(begins[0], midnight) < until:
        cut = list(_cut(midnight, begins, until))
        inside = [one for one in cut if one.part is not None]
        most = max(inside, key=lambda one: one.until - one.since)
        if most.part is not None and begins[0] - midnight < most.until - most.since:
            days[midnight.date()] = most.part
            pieces += [replace(one, taken_off=most.part) for one in cut if one is not most]
        else:
            pieces += inside
        midnight += _DAY
    return Cuts(days, pieces)


def uncut(begins: Sequence[datetime], until: datetime) -> Cuts:
    """Return the same from minutes alone, where nothing is kept by day."""
    parts = enumerate(pairwise([*begins, until]))
    return Cuts({}, [Piece(since, end, part) for part, (since, end) in parts])


def _cut(midnight: datetime, begins: Sequence[datetime], until: datetime) -> Iterator[Piece]:
    """Yield the stretches of a day between the moments at which parts begin and end."""
    inner = (at for at in (*begins, until) if midnight < at < midnight + _DAY)
    for since, end in pairwise([midnight, *inner, midnight + _DAY]):
        inside = begins[0] <= since < until
        yield Piece(since, end, bisect_right(begins, since) - 1 if inside else None)
