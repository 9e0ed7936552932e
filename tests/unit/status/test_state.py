"""What the newest minutes say of a service, and how a day is drawn."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.probe.rules import next_try
from ai_agent_mesh.operations.statements import Evidence, Watch
from ai_agent_mesh.operations.status import Component, Day, State, indicator
from ai_agent_mesh.operations.status.rules import days_of, overview_of, state_of, unread
from ai_agent_mesh.operations.status.statuspage import summary
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import MinuteCount, Service, minute_number
from ai_agent_mesh.web import bars

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
PRESENT = Span(NOON - 5 * MINUTE, NOON)
NEWEST = Span(NOON - MINUTE, NOON)
EARLIER = Span(NOON - 4 * MINUTE, NOON - 3 * MINUTE)
LONG_AGO = Span(NOON - 60 * MINUTE, NOON - 50 * MINUTE)


def marred(span: Span, valid: int, bad: int) -> MinuteCount:
    """Return the calls of a span's first minute."""
    return MinuteCount(minute_number(span.since), Service.API, valid, bad)


@pytest.mark.parametrize(
    ("unavailable", "calls", "state"),
    [
        ((), [], State.OPERATIONAL),
        ((LONG_AGO,), [marred(LONG_AGO, 4, 4)], State.OPERATIONAL),
        ((EARLIER,), [marred(EARLIER, 4, 4)], State.DEGRADED),
        ((), [marred(NEWEST, 100, 1)], State.DEGRADED),
        ((NEWEST,), [marred(NEWEST, 4, 2)], State.PARTIAL),
        ((NEWEST,), [marred(NEWEST, 4, 4)], State.MAJOR),
        ((NEWEST,), [], State.MAJOR),
    ],
)
def test_the_newest_minutes_decide(
    unavailable: tuple[Span, ...], calls: list[MinuteCount], state: State
) -> None:
    assert state_of(PRESENT, unavailable, calls, heard=True) is state


def test_without_evidence_nothing_is_claimed() -> None:
    assert state_of(PRESENT, (), [], heard=False) is State.UNKNOWN


def test_a_new_installation_tells_of_no_trouble_before_there_is_any() -> None:
    # The probe has begun in the minute that is still running; nothing is judged yet.
    begun = NOON + MINUTE
    evidence = Evidence(Span(NOON - 10 * MINUTE, NOON), (), {Service.API: Watch(begun)}, ())
    fresh = overview_of(evidence, {Service.API: begun}, {Month(2026, 11): default()}, NOON)
    assert {one.state for one in fresh.components} == {State.UNKNOWN}
    assert indicator(fresh)[0] == "none"
    told = summary(fresh, "http://mesh/status")
    assert {one.status for one in told.components} == {"operational"}
    assert told.status.description == "Not measured yet"


def test_measurements_that_were_never_read_are_trouble() -> None:
    told = summary(unread(tuple(Service)), "http://mesh/status")
    assert {one.status for one in told.components} == {"degraded_performance"}
    assert told.status.indicator == "critical"


def test_a_day_counts_only_its_own_minutes() -> None:
    midnight = NOON.replace(hour=0)
    across = Span(midnight - 10 * MINUTE, midnight + 20 * MINUTE)
    span = Span(midnight - timedelta(days=2), NOON)
    days = days_of(span, [across], midnight - timedelta(days=1))
    assert days == (
        Day(date(2026, 11, 3), 0, 0),
        Day(date(2026, 11, 4), 1440, 10),
        Day(date(2026, 11, 5), 720, 20),
    )
    assert days[0].uptime is None


def test_a_bar_tells_trouble_by_shape_and_words() -> None:
    day = date(2026, 11, 4)
    whole, part, out, none = (
        bars.bar(Day(day, judged, lost)) for judged, lost in ((9, 0), (1440, 1), (9, 9), (0, 0))
    )
    assert (whole.top, whole.down) == (0, 0)
    assert 0 < part.down < part.top < bars.HEIGHT
    assert (out.down, out.top) == (bars.HEIGHT, bars.HEIGHT)
    assert none.top == bars.HEIGHT - bars.STUB
    assert part.words == "2026-11-04: 1 minute unavailable, uptime 99.93%"


def test_the_longer_the_outage_the_darker_the_bar() -> None:
    heights = [bars.bar(Day(date(2026, 11, 4), 1440, lost)).down for lost in range(1, 1441)]
    assert heights == sorted(heights)
    assert len(set(heights)) == 6


def test_uptime_never_looks_better_than_it_is() -> None:
    component = Component(Service.API, State.OPERATIONAL, [Day(date(2026, 11, 4), 1_000_000, 1)])
    assert bars.uptime(component) == "99.999% uptime"


def test_tries_are_spread_evenly_over_each_minute() -> None:
    interval = timedelta(seconds=15)
    moments = [NOON]
    for _ in range(8):
        moments.append(next_try(moments[-1] + timedelta(milliseconds=300), interval))
    assert [m.second for m in moments[1:]] == [15, 30, 45, 0, 15, 30, 45, 0]


def test_the_services_are_tried_one_after_the_other() -> None:
    interval = timedelta(seconds=15)
    due = [next_try(NOON, interval, place=place, places=4) for place in range(4)]
    moments = sorted(due)
    assert [(b - a).total_seconds() for a, b in pairwise(moments)] == [3.75] * 3
    again = [next_try(at, interval, place=place, places=4) for place, at in enumerate(due)]
    assert [b - a for a, b in zip(due, again, strict=True)] == [interval] * 4
