"""Availability by four methods: what holds of any hour, and closed forms."""

from collections.abc import Iterator
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sla.hour import (
    BY_MINUTE,
    FIRST,
    SINCE,
    api,
    judge,
    quiet,
    terms,
)

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla import (
    Method,
    MinuteCount,
    Service,
    availability,
)


def counts_of_an_hour() -> st.SearchStrategy[list[MinuteCount]]:
    def row(place: int, service: Service, valid: int, bad: int) -> MinuteCount:
        return MinuteCount(FIRST + place, service, valid, min(bad, valid))

    rows = st.builds(
        row, st.integers(-2, 61), st.sampled_from(Service),
        st.integers(0, 40), st.integers(0, 40),
    )  # fmt: skip
    return st.lists(rows, max_size=60)


@given(counts_of_an_hour(), st.sampled_from(Method), st.integers(1, 4))
def test_availability_lies_between_nothing_and_all(
    counts: list[MinuteCount], method: Method, consecutive: int
) -> None:
    judgement = judge(counts, terms(method, consecutive=consecutive))
    for judged in (judgement.platform, *judgement.services.values()):
        assert 0 <= judged.availability <= 1
        assert judged.lost == (1 - judged.availability) * judged.counted
        if method in BY_MINUTE:
            assert judged.lost == len(judged.unavailable)


@given(counts_of_an_hour(), st.sampled_from(Method), st.integers(0, 59), st.sampled_from(Service))
def test_a_good_request_more_never_lowers_availability(
    counts: list[MinuteCount], method: Method, place: int, service: Service
) -> None:
    # A minute below `min_requests` may fail once it has enough; with one required it never does.
    more = [*counts, MinuteCount(FIRST + place, service, 1, 0)]
    before, after = judge(counts, terms(method)), judge(more, terms(method))
    assert after.services[service].availability >= before.services[service].availability
    assert after.platform.availability >= before.platform.availability


@given(st.integers(1, 9), st.sampled_from(Method))
def test_all_methods_agree_on_a_total_outage(calls: int, method: Method) -> None:
    counts = [
        MinuteCount(FIRST + place, service, calls, calls)
        for place in range(60) for service in Service
    ]  # fmt: skip
    assert judge(counts, terms(method)).platform.availability == 0


@given(st.integers(0, 60), st.sampled_from(BY_MINUTE))
def test_an_outage_of_so_many_minutes_costs_exactly_them(length: int, method: Method) -> None:
    counts = [api(place, 3, 3) for place in range(length)]
    judged = judge(counts, terms(method)).platform
    assert judged.availability == Fraction(60 - length, 60)


@given(counts_of_an_hour(), st.sampled_from(Method), st.randoms())
def test_the_order_of_counts_makes_no_difference(
    counts: list[MinuteCount], method: Method, random: object
) -> None:
    shuffled = list(counts)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a Random
    assert judge(shuffled, terms(method)) == judge(counts, terms(method))


@given(counts_of_an_hour(), st.sampled_from(Method), st.sets(st.integers(0, 59), max_size=9))
def test_the_minutes_that_matter_singly_are_enough(
    counts: list[MinuteCount], method: Method, silence: set[int]
) -> None:
    inside = [one for one in counts if FIRST <= one.minute < FIRST + 60]
    silent, length = quiet(*silence), terms().interval
    troubled = {(FIRST + place) // length for place in silence}
    troubled |= {one.minute // length for one in inside if one.bad}
    few = [one for one in inside if one.minute // length in troubled]
    rest = {
        service: sum(one.valid for one in inside if one.service is service and one not in few)
        for service in Service
    }
    whole = judge(counts, terms(method), silent=silent)
    assert judge(few, terms(method), silent=silent, unlisted=rest) == whole


@given(counts_of_an_hour())
def test_the_platforms_lost_minutes_are_the_union_of_the_services(
    counts: list[MinuteCount],
) -> None:
    judgement = judge(counts, terms(), silent=quiet(3, 30))
    each = {minute for judged in judgement.services.values() for minute in judged.unavailable}
    assert set(judgement.platform.unavailable) == each


def test_a_span_without_minutes_lost_nothing() -> None:
    def nothing() -> Iterator[MinuteCount]:
        yield from ()

    judged = availability(nothing(), Span(SINCE, SINCE), terms()).platform
    assert judged.total == 0
    assert judged.availability == 1
