"""How a budget went down, held against closed forms and against what the statement says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.unit.objectives.evidence import API, PLAYBOOK, by, marred

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.statements import (
    Burndown,
    Calls,
    Evidence,
    Seen,
    Statement,
    Subject,
    Tenure,
    burndown,
    burnt,
    slos,
    state,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import (
    Category,
    Method,
    MinuteCount,
    Service,
    minute_number,
    moment_of,
    spent_by,
    spent_in,
)

MONTH = Month(2026, 11).span
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def stated(
    minutes: Sequence[MinuteCount],
    until: datetime,
    playbook: Playbook = PLAYBOOK,
    calls: Sequence[Calls] = (),
) -> Statement:
    """State November up to a moment, on the tier enterprise."""
    span = Span(MONTH.since, until)
    found = Evidence(span, tuple(minutes), {}, tuple(calls))
    tenure = Tenure("enterprise", span, ((span, None),))
    return state(Subject("tnt_1", "Acme", "2026-11", MONTH), [(tenure, found)], [], playbook, until)


def drawn(one: Statement, *days: tuple[Span, int, int], service: str = "platform") -> Burndown:
    """Return the line of an objective; each day has so many valid and bad calls."""
    seen: list[tuple[Span, Seen]] = [
        (
            day,
            ((Calls(API, Category.AGENT_CRUD, valid, valid, bad, valid, valid, valid, valid),), {}),
        )
        for day, valid, bad in days
    ]
    return burndown(next(slo for slo in slos(one, PLAYBOOK) if slo.service == service), one, seen)


def test_one_bad_quarter_of_an_hour_is_one_step_down() -> None:
    bad = [marred(at(3, 10, minute), API, 1, 1) for minute in range(15)]
    line = drawn(stated(bad, at(11)))
    # The month allows 0.01% of 43,200 minutes.
    after = 1 - Fraction(15) / Fraction("4.32")
    assert line.points == (
        (at(1), Fraction(1)),
        (at(3, 10), Fraction(1)),
        (at(3, 11), after),
        (at(11), after),
    )
    assert line.outages == (Span(at(3, 10), at(3, 10, 15)),)
    other = drawn(stated(bad, at(11)), service="governance")
    assert other.points == ((at(1), Fraction(1)), (at(11), Fraction(1)))
    assert other.outages == ()


def test_when_the_month_is_over_the_line_ends_at_the_statements_ratio() -> None:
    bad = [marred(at(day, 23, 59), API, 1, 1) for day in (1, 2, 30)]
    one = stated(bad, MONTH.until)
    line = drawn(one)
    assert line.points[-1] == (MONTH.until, 1 - Fraction(3) / Fraction("4.32"))
    assert Fraction(one.error_budget.remaining_ratio) == pytest.approx(
        line.points[-1][1], abs=1e-12
    )
    assert line.points[-2] == (at(30, 23), 1 - Fraction(2) / Fraction("4.32"))


def test_a_running_months_line_ends_where_its_projection_begins() -> None:
    bad = [marred(at(3, 10, minute), API, 1, 1) for minute in range(15)]
    one = stated(bad, at(11))
    seen: Seen = ((Calls(API, Category.AGENT_CRUD, 9, 9, 0, 9, 9, 9, 9),), {})
    item = burnt(slos(one, PLAYBOOK)[0], one, {DAY: (seen, Fraction(3))})
    assert item.ahead is not None
    left = burndown(item, one, []).points[-1][1]
    assert Fraction(item.ahead.month_remaining_ratio) == pytest.approx(left, abs=1e-12)


def test_by_requests_each_day_bears_what_its_bad_calls_are_of_all() -> None:
    days = [(Span(at(n), at(n + 1)), 1_000, bad) for n, bad in ((1, 0), (2, 30), (3, 10))]
    calls = (Calls(API, Category.AGENT_CRUD, 3_000, 3_000, 40, 0, 0, 0, 0),)
    bad = [marred(at(2), API, 1_000, 30), marred(at(3), API, 1_000, 10)]
    one = stated(bad, at(4), by(Method.REQUESTS), calls)
    spent = Fraction(one.error_budget.spent_minutes)
    assert spent == pytest.approx(3 * 1440 * Fraction(40, 3_000))
    line = drawn(one, *days)
    allowed = Fraction("4.32")
    assert [left for _, left in line.points] == [
        1, 1, 1 - spent * 3 / 4 / allowed, 1 - spent / allowed
    ]  # fmt: skip
    assert line.outages == ()


def test_each_day_says_how_fast_it_burned_and_what_was_left_at_its_end() -> None:
    bad = [marred(at(2, 23, 59), API, 1, 1)]
    days = [(Span(at(n), at(n + 1)), valid, bad) for n, valid, bad in ((1, 0, 0), (2, 1000, 1))]
    line = drawn(stated(bad, at(3)), *days)
    assert [(day.burn, day.left) for day in line.days] == [
        (None, Fraction(1)),
        (Fraction(10), 1 - 1 / Fraction("4.32")),
    ]


def test_before_the_first_minute_there_is_one_point() -> None:
    line = drawn(stated([], at(1)))
    assert line.points == ((at(1), Fraction(1)),)
    assert line.days == ()


@given(
    some.sets(some.integers(0, 60 * 24 * 7 - 1), max_size=200),
    some.integers(0, 300),
    some.integers(0, 60 * 24 * 7),
)
def test_every_point_is_a_count_of_the_minutes_before_it(
    lost: set[int], since: int, length: int
) -> None:
    first = minute_number(at(1))
    span = Span(moment_of(first + since), moment_of(first + since + length))
    numbers = sorted(first + minute for minute in lost)
    points = spent_in(numbers, span, HOUR)
    for one in points:
        assert one.minutes == sum(1 for n in numbers if span.since <= moment_of(n) < one.at)
    assert (points[0].at, points[-1].at) == (span.since, span.until)
    assert [one.at for one in points] == sorted({one.at for one in points})
    # What was left out is level: between two points the count grows in the last step alone.
    for here, after in pairwise(points):
        assert here.minutes == after.minutes or after.at - here.at <= HOUR


@given(some.lists(some.integers(0, 50), min_size=1, max_size=31), some.fractions(0, 10_000))
def test_what_is_spread_over_days_comes_to_the_whole(weights: list[int], total: Fraction) -> None:
    parts = [
        (Span(at(1) + DAY * n, at(1) + DAY * (n + 1)), Fraction(w)) for n, w in enumerate(weights)
    ]
    points = spent_by(total, parts)
    assert points[0].minutes == 0
    assert points[-1].minutes == total
    assert [one.minutes for one in points] == sorted(one.minutes for one in points)


def test_a_service_answers_for_its_own_outages_and_the_platform_for_all() -> None:
    bad = [marred(at(3, 10), API, 1, 1), marred(at(3, 10), Service.TELEMETRY, 1, 1),
           marred(at(4, 10), Service.TELEMETRY, 1, 1)]  # fmt: skip
    one = stated(bad, at(11))
    lost = {name: drawn(one, service=name).outages for name in ("platform", "api", "telemetry")}
    assert [len(lost[name]) for name in ("platform", "api", "telemetry")] == [2, 1, 2]


def test_a_tier_that_began_within_the_month_has_a_budget_of_its_own() -> None:
    parts = []
    for tier, span, bad in (
        ("professional", Span(at(1), at(6)), at(3, 10)),
        ("enterprise", Span(at(6), at(11)), at(7, 10)),
    ):
        found = Evidence(span, (marred(bad, API, 1, 1),), {}, ())
        parts.append((Tenure(tier, span, ((span, None),)), found))
    one = state(Subject("tnt_1", "Acme", "2026-11", MONTH), parts, [], PLAYBOOK, at(11))
    line = drawn(one, (Span(at(5), at(6)), 1_000, 5), (Span(at(6), at(7)), 1_000, 0))
    # 25 days at 0.01%.
    after = 1 - 1 / Fraction("3.6")
    whole = Fraction(1)
    assert line.points == (
        (at(6), whole), (at(7, 10), whole), (at(7, 11), after), (at(11), after)
    )  # fmt: skip
    assert [day.span.since for day in line.days] == [at(6)]
    assert len(line.outages) == 1
