"""The four named methods: from a service's minutes to what was lost of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ai_agent_mesh.sla.columns import Column
from ai_agent_mesh.sla.tokens import Denominator, Method


@dataclass(frozen=True, slots=True)
class Terms:
    """The figures that a method goes by; all come from the playbook.

    `interval` is in minutes; a silent minute stands for `silent_bad` bad requests in the methods
    that count requests.
    """

    method: Method
    denominator: Denominator
    consecutive: int
    min_requests: int
    error_threshold: Fraction
    interval: int
    silent_bad: int


def failing_runs(column: Column, terms: Terms) -> frozenset[int]:
    """Return the places in runs of at least `consecutive` minutes, each of them failing.

    A minute fails when it has at least `min_requests` valid requests and more than the share
    `error_threshold` of them is bad. Runs follow the clock, excluded minutes included.
    """
    over, under = terms.error_threshold.numerator, terms.error_threshold.denominator
    valid = column.valid
    failing = [
        place
        for place, bad in enumerate(column.bad)
        if bad and valid[place] >= terms.min_requests and bad * under > valid[place] * over
    ]
    if terms.consecutive == 1:
        return frozenset(failing)
    long_enough = (run for run in _runs(failing) if len(run) >= terms.consecutive)
    return frozenset(place for run in long_enough for place in run)


def all_failed(column: Column, terms: Terms) -> frozenset[int]:  # noqa: ARG001 - methods share a face
    """Return the places of the minutes that have valid requests, all of them bad."""
    valid = column.valid
    return frozenset(place for place, bad in enumerate(column.bad) if bad and bad == valid[place])


#: The methods that name unavailable minutes, and how they find them.
BY_MINUTE = {Method.PERIOD: failing_runs, Method.ALL_FAIL: all_failed}


def unavailable(column: Column, terms: Terms) -> frozenset[int]:
    """Return the numbers of the minutes that a method by minutes finds unavailable, or silent."""
    places = (BY_MINUTE[terms.method](column, terms) | column.silent) - column.excluded
    return frozenset(column.first + place for place in places)


def interval_losses(column: Column, length: int) -> dict[int, Fraction]:
    """Return the bad share of each interval that has any, by the interval's number since 1970."""
    places: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    troubled = {(column.first + place) // length for place, bad in enumerate(column.bad) if bad}
    for number in troubled:
        for minute in range(number * length, (number + 1) * length):
            place = minute - column.first
            if 0 <= place < len(column.bad) and place not in column.excluded:
                places[number][0] += column.bad[place]
                places[number][1] += column.valid[place]
    return {number: Fraction(bad, valid) for number, (bad, valid) in places.items() if bad}


def intervals_counted(column: Column, terms: Terms) -> frozenset[int]:
    """Return the numbers of the intervals that count; one wholly excluded counts only in full."""
    first, length = column.first, terms.interval
    numbers = range(first // length, -(-(first + len(column.bad)) // length))
    if terms.denominator is Denominator.FULL or not column.excluded:
        return frozenset(numbers)
    inside = range(first, first + len(column.bad))
    return frozenset(
        number
        for number in numbers
        if any(
            minute in inside and minute - first not in column.excluded
            for minute in range(number * length, (number + 1) * length)
        )
    )


def requests(column: Column) -> tuple[int, int]:
    """Return the valid and the bad requests outside excluded minutes."""
    valid = sum(column.valid) - sum(column.valid[place] for place in column.excluded)
    return valid, sum(column.bad) - sum(column.bad[place] for place in column.excluded)


def _runs(places: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for place in places:
        if run and place != run[-1] + 1:
            yield run
            run = []
        run.append(place)
    if run:
        yield run
