"""However a span is cut, each part gets its own minutes, and few of them are read."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from ai_agent_mesh.operations.objectives.cuts import Cuts, Piece, cuts, uncut

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: In minutes after this, with a day before and after all that is asked for.
START = datetime(2026, 10, 30, tzinfo=UTC)
DAYS = 6
#: A number for each minute that no sum of others equals.
WEIGHTS = [3**7 * n + n % 11 for n in range(DAYS * 1440)]

moments = some.integers(1440, (DAYS - 1) * 1440).map(lambda n: START + n * MINUTE)


def weight(since: datetime, until: datetime) -> int:
    return sum(WEIGHTS[(since - START) // MINUTE : (until - START) // MINUTE])


def added_up(plan: Cuts) -> Counter[int]:
    """Return what each part comes to."""
    found: Counter[int] = Counter()
    for day, part in plan.days.items():
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found[part] += weight(midnight, midnight + DAY)
    for one in plan.pieces:
        for place, sign in ((one.part, 1), (one.taken_off, -1)):
            if place is not None:
                found[place] += sign * weight(one.since, one.until)
    return found


def read(plan: Cuts, until: datetime) -> timedelta:
    """Return how many minutes before the end are read singly."""
    return sum((one.until - one.since for one in plan.pieces if one.since < until), timedelta(0))


@given(some.sets(moments, min_size=2, max_size=6).map(sorted))
def test_each_part_gets_its_own_minutes_and_no_others(bounds: list[datetime]) -> None:
    *begins, until = bounds
    expected = Counter({part: weight(*bounds[part : part + 2]) for part in range(len(begins))})
    assert added_up(cuts(begins, until)) == expected
    assert added_up(uncut(begins, until)) == expected


@given(moments)
def test_windows_of_three_days_read_at_most_a_day_and_a_half_of_minutes(now: datetime) -> None:
    begins = [max(START, now - length) for length in (3 * DAY, DAY, 6 * HOUR, HOUR)]
    found = cuts(begins, now)
    assert read(found, now) <= 1.5 * DAY
    assert all(one.until - one.since < DAY for one in found.pieces)


def test_whole_days_read_no_minute() -> None:
    days = [START + n * DAY for n in range(4)]
    assert cuts(days[:3], days[3]) == Cuts(
        {day.date(): part for part, day in enumerate(days[:3])}, []
    )


def test_the_present_day_is_read_as_a_day_less_what_came_after_it_was_judged() -> None:
    until = START + 2 * DAY - 2 * MINUTE
    [piece] = cuts([START], until).pieces
    assert piece == Piece(until, START + 2 * DAY, None, taken_off=0)


def test_a_span_late_in_a_day_is_read_by_itself() -> None:
    begin = START + 20 * HOUR
    assert cuts([begin], begin + HOUR) == Cuts({}, [Piece(begin, begin + HOUR, 0)])


def test_nothing_is_read_of_nothing() -> None:
    for moment in (START, START + HOUR):
        assert cuts([moment], moment) == Cuts({}, [])
