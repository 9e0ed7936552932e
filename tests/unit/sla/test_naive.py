"""Availability against a second reading of its definition: minute by minute, with sets alone."""

from fractions import Fraction
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sla.hour import FIRST, HOUR, NOTICE, SINCE

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla import (
    Announcement,
    Denominator,
    Method,
    MinuteCount,
    Service,
    Terms,
    availability,
    moment_of,
)

MINUTES = range(FIRST, FIRST + 60)


class Naive:
    """One service over the hour: its minutes with (valid, bad), the silent and the excluded."""

    def __init__(
        self, counts: list[MinuteCount], silent: set[int], out: set[int], rule: Terms
    ) -> None:
        self.rule, self.silent, self.out = rule, silent, out
        self.sums = dict.fromkeys(MINUTES, (0, 0))
        for at, _, valid, bad in counts:
            self.sums[at] = (self.sums[at][0] + valid, self.sums[at][1] + bad)

    def down(self) -> set[int]:
        failing = self._failing() if self.rule.method is Method.PERIOD else self._all_failed()
        return (failing | self.silent) - self.out

    def _all_failed(self) -> set[int]:
        return {at for at, (valid, bad) in self.sums.items() if 0 < valid == bad}

    def _failing(self) -> set[int]:
        least, most, long = (
            self.rule.min_requests, self.rule.error_threshold, self.rule.consecutive,
        )  # fmt: skip
        bare = {at for at, (v, b) in self.sums.items() if v >= least and Fraction(b, v) > most}
        runs = [range(first, first + long) for first in bare]
        return {at for run in runs if bare.issuperset(run) for at in run}

    def requests(self, minutes: range) -> tuple[int, int]:
        """Count as the methods do that ask for requests: silence is bad ones, maintenance none."""
        valid = bad = 0
        for at in minutes:
            more = self.rule.silent_bad if at in self.silent else 0
            if at not in self.out:
                bad += self.sums[at][1] + more
            if at not in self.out or self.rule.denominator is Denominator.FULL:
                valid += self.sums[at][0] + more
        return valid, bad


def judged(services: list[Naive], rule: Terms) -> Fraction:
    """Return the availability of some services as one."""
    full = rule.denominator is Denominator.FULL
    out = set[int]() if full else reduce(set.__and__, (one.out for one in services))
    if rule.method in {Method.PERIOD, Method.ALL_FAIL}:
        down = set[int]().union(*(one.down() for one in services))
        kept = [Fraction(at not in down) for at in MINUTES if at not in out]
    elif rule.method is Method.REQUESTS:
        sums = [one.requests(MINUTES) for one in services]
        kept = [_good(sum(valid for valid, _ in sums), sum(bad for _, bad in sums))]
    else:
        parts = [range(at, at + rule.interval) for at in MINUTES[:: rule.interval]]
        kept = [
            min(_good(*one.requests(part)) for one in services)
            for part in parts
            if not out.issuperset(part)
        ]
    return Fraction(sum(kept), len(kept)) if kept else Fraction(1)


def _good(valid: int, bad: int) -> Fraction:
    return 1 - Fraction(bad, valid) if valid else Fraction(1)


# Runs of minutes, close together, so that failure, silence and maintenance meet.
runs = st.builds(
    lambda first, length: range(FIRST + first, FIRST + min(first + length, 60)),
    st.one_of(st.integers(0, 9), st.integers(0, 59)),
    st.integers(1, 7),
)
two = st.sampled_from(list(Service)[:2])
rows = st.builds(
    lambda run, service, valid, tenths: [
        MinuteCount(at, service, valid, valid * tenths // 10) for at in run
    ],
    runs, two, st.integers(0, 9), st.sampled_from([0, 5, 10, 10]),
)  # fmt: skip
counted = st.lists(rows, max_size=8).map(lambda found: [one for row in found for one in row])
quiet = st.dictionaries(two, st.lists(runs, max_size=2), max_size=2)
works = st.lists(st.tuples(runs, st.one_of(st.none(), two)), max_size=3)
figures = st.fixed_dictionaries({
    "consecutive": st.integers(1, 4),
    "min_requests": st.integers(1, 4),
    "error_threshold": st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]),
    "interval": st.sampled_from([1, 5, 15]),
    "silent_bad": st.integers(0, 4),
})  # fmt: skip


@given(counted, quiet, works, st.booleans(), figures)
def test_a_naive_reading_of_the_definition_gives_the_same(
    counts: list[MinuteCount],
    silent: dict[Service, list[range]],
    works: list[tuple[range, Service | None]],
    all_day: bool,
    figures: dict[str, Any],
) -> None:
    if all_day:
        works = [*works, (MINUTES, Service.API)]
    told = [
        Announcement(
            SINCE - NOTICE,
            Span(moment_of(run.start), moment_of(run.stop)),
            None if only is None else frozenset({only}),
        )
        for run, only in works
    ]
    for rule in [Terms(each, other, **figures) for each in Method for other in Denominator]:
        found = availability(counts, HOUR, rule, silent=silent, announcements=told, notice=NOTICE)
        naive = {
            each: Naive(
                [one for one in counts if one.service is each],
                {at for run in silent.get(each, ()) for at in run},
                {at for run, only in works if only in {None, each} for at in run},
                rule,
            )
            for each in Service
        }
        for each in Service:
            assert found.services[each].availability == judged([naive[each]], rule)
        assert found.platform.availability == judged(list(naive.values()), rule)
