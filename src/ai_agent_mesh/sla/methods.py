"""The four named methods: from a service's minutes to what was lost of them."""

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
    """Return the minutes in runs of at least `consecutive`, each of them failing.

    A minute fails when it has at least `min_requests` valid requests and more than the share
    `error_threshold` of them is bad. Runs follow the clock, excluded minutes included.
    """
    over, under = terms.error_threshold.numerator, terms.error_threshold.denominator
    valid = column.valid
    failing = [
        minute
        for minute, bad in column.bad.items()
        if valid[minute] >= terms.min_requests and bad * under > valid[minute] * over
    ]
    if terms.consecutive == 1:
        return frozenset(failing)
    long_enough = (run for run in _runs(sorted(failing)) if len(run) >= terms.consecutive)
    return frozenset(minute for run in long_enough for minute in run)


def all_failed(column: Column, terms: Terms) -> frozenset[int]:  # noqa: ARG001 - methods share a face
    """Return the minutes that have valid requests, all of them bad."""
    return frozenset(minute for minute, bad in column.bad.items() if bad == column.valid[minute])


#: The methods that name unavailable minutes, and how they find those that failed.
BY_MINUTE = {Method.PERIOD: failing_runs, Method.ALL_FAIL: all_failed}


def interval_losses(column: Column, terms: Terms) -> dict[int, Fraction]:
    """Return the bad share of each interval that has any, by the interval's number since 1970."""
    length, left_out = terms.interval, _left_out(column, terms)
    losses = {}
    for number in {minute // length for minute in column.bad}:
        minutes = set(_interval(column, number, length))
        bad = sum(column.bad.get(minute, 0) for minute in minutes - column.excluded)
        if bad:
            valid = sum(column.valid.get(minute, 0) for minute in minutes - left_out)
            losses[number] = Fraction(bad, valid)
    return losses


def intervals_counted(column: Column, terms: Terms) -> frozenset[int]:
    """Return the numbers of the intervals that count; one wholly excluded counts only in full."""
    length, minutes = terms.interval, column.minutes
    numbers = range(minutes.start // length, -(-minutes.stop // length))
    if terms.denominator is Denominator.FULL or not column.excluded:
        return frozenset(numbers)
    return frozenset(
        number
        for number in numbers
        if not column.excluded.issuperset(_interval(column, number, length))
    )


def requests(column: Column, terms: Terms) -> tuple[int, int]:
    """Return the valid and the bad requests that count; in excluded minutes none is bad."""
    valid = column.unlisted + sum(column.valid.values())
    return (
        valid - sum(column.valid.get(minute, 0) for minute in _left_out(column, terms)),
        sum(column.bad.values()) - sum(column.bad.get(minute, 0) for minute in column.excluded),
    )


def _left_out(column: Column, terms: Terms) -> frozenset[int]:
    """Return the minutes whose valid requests leave the denominator."""
    return frozenset() if terms.denominator is Denominator.FULL else column.excluded


def _interval(column: Column, number: int, length: int) -> range:
    """Return the minutes of the span that lie in an interval."""
    first = number * length
    return range(max(first, column.minutes.start), min(first + length, column.minutes.stop))


def _runs(minutes: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for minute in minutes:
        if run and minute != run[-1] + 1:
            yield run
            run = []
        run.append(minute)
    if run:
        yield run
