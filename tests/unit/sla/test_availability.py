"""Availability by four methods: silence, maintenance, union."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sla.hour import BY_MINUTE, FIRST, HOUR, SINCE, api, judge, lost, quiet, terms, work

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.sla import (
    Announcement,
    Denominator,
    Method,
    MinuteCount,
    Service,
    availability,
    minute_number,
    moment_of,
    spans_of,
    started_in,
)


def test_a_minute_above_the_threshold_is_lost_and_one_at_it_is_not() -> None:
    judgement = judge([api(3, 100, 5), api(7, 100, 6)], terms())
    assert lost(judgement) == [7]
    assert judgement.platform.availability == 1 - Fraction(1, 60)


def test_a_run_shorter_than_asked_for_is_not_lost() -> None:
    counts = [api(place, 1, 1) for place in (1, 2, 4, 5, 6)]
    assert lost(judge(counts, terms(consecutive=3))) == [4, 5, 6]


def test_a_minute_with_too_few_requests_is_not_lost() -> None:
    assert lost(judge([api(1, 9, 9), api(2, 10, 10)], terms(min_requests=10))) == [2]


def test_all_fail_needs_every_valid_request_to_be_bad() -> None:
    counts = [api(1, 10, 9), api(2, 10, 10), api(3, 0, 0)]
    assert lost(judge(counts, terms(Method.ALL_FAIL))) == [2]


def test_intervals_average_the_good_share_and_an_empty_interval_is_whole() -> None:
    judgement = judge([api(0, 10, 5), api(4, 10, 0), api(5, 4, 1)], terms(Method.INTERVALS))
    assert judgement.platform.availability == 1 - (Fraction(1, 4) + Fraction(1, 4)) / 12


@pytest.mark.parametrize("bad", [(1, 3), (3, 1)])
def test_intervals_take_the_worst_service_of_each(bad: tuple[int, int]) -> None:
    other = MinuteCount(FIRST, Service.TELEMETRY, 4, bad[1])
    judgement = judge([api(0, 4, bad[0]), other], terms(Method.INTERVALS))
    assert judgement.platform.availability == 1 - Fraction(3, 4) / 12


def test_requests_are_pooled_over_services() -> None:
    other = MinuteCount(FIRST, Service.TELEMETRY, 30, 0)
    judgement = judge([api(0, 10, 4), other], terms(Method.REQUESTS))
    assert judgement.platform.availability == Fraction(9, 10)
    assert judgement.services[Service.API].availability == Fraction(6, 10)


def test_the_platform_is_down_when_any_service_is() -> None:
    counts = [api(1, 1, 1), MinuteCount(FIRST + 2, Service.GOVERNANCE, 1, 1)]
    judgement = judge(counts, terms())
    assert lost(judgement) == [1, 2]
    assert len(judgement.services[Service.API].unavailable) == 1
    assert judgement.services[Service.TELEMETRY].availability == 1


def test_counts_of_one_minute_add_up() -> None:
    assert lost(judge([api(1, 10, 1), api(1, 90, 0)], terms())) == []
    assert lost(judge([api(1, 10, 1), api(1, 0, 0)], terms())) == [1]


def test_an_empty_minute_is_available() -> None:
    assert judge([], terms()).platform.availability == 1


def test_a_silent_minute_is_lost_and_told_apart_from_a_failed_one() -> None:
    judgement = judge([api(2, 1, 1), api(3, 1, 1)], terms(), silent=quiet(3, 4, 99))
    assert lost(judgement) == [2, 3, 4]
    named = judgement.services[Service.API]
    assert {minute - FIRST for minute in named.failed} == {2, 3}
    assert {minute - FIRST for minute in named.silent} == {3, 4}


@pytest.mark.parametrize("method", [Method.INTERVALS, Method.REQUESTS])
def test_silence_adds_four_bad_requests_where_requests_count(method: Method) -> None:
    counts = [api(place, 4, 0) for place in range(59)]
    judgement = judge(counts, terms(method), silent=quiet(59))
    share = {Method.INTERVALS: Fraction(4, 20) / 12, Method.REQUESTS: Fraction(4, 240)}[method]
    assert judgement.services[Service.API].availability == 1 - share
    assert judgement.services[Service.API].bad == 4


def test_maintenance_wins_over_silence() -> None:
    all_hour = {service: [range(FIRST, FIRST + 60)] for service in Service}
    judgement = judge([], terms(), silent=all_hour, announcements=[work(0, 60)])
    assert judgement.platform.availability == 1
    assert judgement.platform.counted == 0


def test_only_minutes_wholly_inside_the_announced_span_are_excluded() -> None:
    told = Announcement(
        SINCE - timedelta(days=9),
        Span(SINCE + timedelta(seconds=90), SINCE + timedelta(seconds=270)),
    )
    judgement = judge([api(place, 1, 1) for place in range(6)], terms(), announcements=[told])
    assert lost(judgement) == [0, 1, 4, 5]
    assert (judgement.platform.excluded, judgement.platform.counted) == (2, 58)
    assert judgement.platform.availability == 1 - Fraction(4, 58)


def test_the_full_denominator_keeps_excluded_minutes_below_the_line() -> None:
    rule = terms(denominator=Denominator.FULL)
    judgement = judge([api(0, 1, 1), api(9, 1, 1)], rule, announcements=[work(0, 5)])
    assert judgement.platform.availability == 1 - Fraction(1, 60)


@pytest.mark.parametrize(
    "announcement",
    [work(0, 5, ahead_h=71), work(0, 5, cancelled_at=SINCE), work(0, 5, services=frozenset())],
    ids=["late", "cancelled", "another service"],
)
def test_what_was_not_announced_as_asked_is_judged(announcement: Announcement) -> None:
    judgement = judge([api(2, 1, 1)], terms(), announcements=[announcement])
    assert lost(judgement) == [2]


@given(
    bad=st.frozensets(st.integers(0, 59)),
    begins=st.integers(0, 59),
    length=st.integers(1, 60),
    method=st.sampled_from(BY_MINUTE),
    denominator=st.sampled_from(Denominator),
)
def test_exclusion_never_lowers_availability_where_what_is_excluded_was_lost(
    bad: frozenset[int], begins: int, length: int, method: Method, denominator: Denominator
) -> None:
    planned = range(begins, min(begins + length, 60))
    lost_ones = bad.union(planned)
    rule, told = terms(method, denominator), work(planned.start, planned.stop)
    without = judge([api(place, 1, 1) for place in lost_ones], rule).platform
    excluding = judge([api(place, 1, 1) for place in lost_ones], rule, announcements=[told])
    assert excluding.platform.availability >= without.availability
    # Of the full hour it never does, whatever is excluded; of the rest good minutes are lost too.
    some = [api(place, 1, 1) for place in bad]
    full = terms(method, Denominator.FULL)
    judged = judge(some, full, announcements=[told]).platform
    assert judged.availability >= judge(some, full).platform.availability
    assert set(judged.unavailable) == {FIRST + place for place in bad - set(planned)}


def test_maintenance_of_one_service_leaves_the_platforms_minute_counted() -> None:
    told = work(0, 5, services=frozenset({Service.API}))
    judgement = judge([api(2, 1, 1)], terms(), announcements=[told])
    assert judgement.services[Service.API].excluded == 5
    assert judgement.platform.counted == 60
    assert judgement.platform.availability == 1


def test_excluded_minutes_leave_the_methods_that_count_requests() -> None:
    counts = [api(0, 5, 5), api(30, 5, 1)]
    by = {
        method: judge(counts, terms(method), announcements=[work(0, 5)])
        for method in (Method.INTERVALS, Method.REQUESTS)
    }
    assert by[Method.INTERVALS].platform.availability == 1 - Fraction(1, 5) / 11
    assert by[Method.REQUESTS].platform.availability == Fraction(4, 5)


def test_the_full_denominator_keeps_the_valid_requests_of_excluded_minutes() -> None:
    counts = [api(0, 5, 5), api(4, 3, 2), api(30, 5, 1)]
    by = {
        method: judge(counts, terms(method, Denominator.FULL), announcements=[work(0, 4)])
        for method in (Method.INTERVALS, Method.REQUESTS)
    }
    # Of the first interval the excluded minute's five calls are valid, and none of them is bad.
    assert by[Method.INTERVALS].platform.availability == 1 - (Fraction(2, 8) + Fraction(1, 5)) / 12
    assert by[Method.REQUESTS].platform.availability == 1 - Fraction(3, 13)


@given(
    counts=st.lists(
        st.tuples(st.integers(0, 59), st.integers(1, 9), st.integers(0, 9)), max_size=30
    ),
    begins=st.integers(0, 59),
    length=st.integers(1, 60),
    method=st.sampled_from(Method),
)
def test_by_the_full_denominator_exclusion_is_as_good_as_having_failed_nothing(
    counts: list[tuple[int, int, int]], begins: int, length: int, method: Method
) -> None:
    planned = range(begins, min(begins + length, 60))
    told = [api(place, valid, min(bad, valid)) for place, valid, bad in counts]
    healed = [
        api(place, valid, 0 if place in planned else min(bad, valid))
        for place, valid, bad in counts
    ]
    full = terms(method, Denominator.FULL)
    excluding = judge(told, full, announcements=[work(planned.start, planned.stop)]).platform
    assert excluding.availability == judge(healed, full).platform.availability


def test_a_months_first_and_last_minute_count_and_their_neighbours_do_not() -> None:
    month = Month(2024, 2)
    edges = [minute_number(month.since), minute_number(month.until) - 1]
    counts = [
        MinuteCount(minute, Service.API, 1, 1) for minute in (edges[0] - 1, *edges, edges[1] + 1)
    ]
    judged = availability(counts, month.span, terms()).platform
    assert judged.unavailable == tuple(edges)
    assert judged.total == 29 * 24 * 60


def test_adjoining_spans_share_no_minute() -> None:
    middle = SINCE + timedelta(minutes=7, seconds=13)
    before, after = started_in(Span(SINCE, middle)), started_in(Span(middle, HOUR.until))
    assert (len(before), len(after), before.stop) == (8, 52, after.start)


def test_unavailable_minutes_read_as_spans() -> None:
    first, second = spans_of([FIRST, FIRST + 1, FIRST + 5])
    assert (first.since, first.until) == (SINCE, moment_of(FIRST + 2))
    assert second.length == timedelta(minutes=1)
