"""Burn rates and their alarms: worked examples, and laws that hold for any traffic."""

import math
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.playbook import default
from ai_agent_mesh.playbook.schema.monitoring import Urgency
from ai_agent_mesh.sla import (
    BurnWindow,
    Requests,
    alarms,
    budget_lasts,
    burn_rate,
    burns,
    reachable,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY
NINES = Fraction("0.999")
WINDOWS = [window for urgency in Urgency for window in default().alerting.burn.of(urgency)]

shares = st.fractions(min_value=Fraction(1, 10**6), max_value=1)
objectives = st.fractions(min_value=0, max_value=1)
periods = st.integers(28, 31).map(lambda days: days * DAY)
windows = st.builds(
    lambda budget, hours: BurnWindow(budget, hours * HOUR, hours * HOUR / 12),
    shares,
    st.integers(1, 28 * 24),
)


@st.composite
def traffic(draw: st.DrawFn) -> Requests:
    valid = draw(st.integers(0, 10**9))
    return Requests(valid, draw(st.integers(0, valid)))


def test_the_playbooks_windows_are_the_workbooks_for_a_month_of_thirty_days() -> None:
    """SRE Workbook, chapter 5, table 5-8: 14.4 over 1 h, 6 over 6 h, 1 over 3 d; and 3 over 1 d."""
    told = [(window.length, window.short, window.factor(MONTH)) for window in WINDOWS]
    assert told == [
        (HOUR, timedelta(minutes=5), Fraction("14.4")),
        (6 * HOUR, timedelta(minutes=30), 6),
        (DAY, 2 * HOUR, 3),
        (3 * DAY, 6 * HOUR, 1),
    ]


@pytest.mark.parametrize(
    ("days", "factors"),
    [(28, ("13.44", "5.6", "2.8", "1")), (29, ("13.92", "5.8", "2.9", "1")),
     (31, ("14.88", "6.2", "3.1", "31/30"))],
)  # fmt: skip
def test_the_factors_follow_the_months_real_length(days: int, factors: tuple[str, ...]) -> None:
    assert [window.factor(days * DAY) for window in WINDOWS] == [Fraction(f) for f in factors]


def test_five_percent_of_the_budget_in_an_hour_is_a_burn_rate_of_36() -> None:
    """SRE Workbook, chapter 5, approach 4."""
    assert BurnWindow(Fraction("0.05"), HOUR, HOUR / 12).factor(MONTH) == 36


def test_an_outage_is_found_after_the_workbooks_detection_time() -> None:
    """SRE Workbook, chapter 5, approach 4: (1 - SLO) / error ratio × window × burn rate.

    At a rate of 14.4 over an hour that is 51.84 seconds of total outage.
    """
    found_after = 51_840_000
    hour = 3_600_000_000
    assert not burns(Requests(hour, found_after), NINES, Fraction("14.4"))
    assert burns(Requests(hour, found_after + 1), NINES, Fraction("14.4"))


def test_a_total_outage_spends_a_months_budget_of_three_nines_in_43_minutes() -> None:
    """SRE Workbook, chapter 5, table 5-4: a burn rate of 1000 exhausts it in 43 minutes."""
    rate = burn_rate(Requests(100, 100), NINES)
    assert rate == 1000
    assert budget_lasts(Fraction(1), rate, MONTH) == timedelta(minutes=43, seconds=12)


def test_a_budget_that_is_gone_lasts_no_time_and_one_that_nothing_spends_lasts_for_ever() -> None:
    assert budget_lasts(Fraction(0), Fraction(1), MONTH) == timedelta(0)
    assert budget_lasts(Fraction(-1, 2), Fraction(1), MONTH) == timedelta(0)
    assert budget_lasts(Fraction(1), math.inf, MONTH) == timedelta(0)
    assert budget_lasts(Fraction(1), Fraction(0), MONTH) is None
    assert budget_lasts(Fraction(1), Fraction(1, 10**15), MONTH) is None


def test_where_nothing_may_fail_one_bad_request_is_an_alarm_and_none_is_not() -> None:
    window = WINDOWS[0]
    told = [
        alarms(window, asked, asked, objective=Fraction(1), period=MONTH, min_requests=1)
        for asked in (Requests(1_000_000, 1), Requests(1_000_000, 0))
    ]
    assert told == [True, False]


def test_exactly_the_factor_is_no_alarm_yet() -> None:
    window = WINDOWS[0]
    for bad, expected in ((144, False), (145, True)):
        asked = Requests(10_000, bad)
        assert expected is alarms(
            window, asked, asked, objective=NINES, period=MONTH, min_requests=1
        )


def test_an_alarm_ends_with_its_short_window() -> None:
    long, over = Requests(60_000, 6_000), Requests(5_000, 0)
    assert not alarms(WINDOWS[0], long, over, objective=NINES, period=MONTH, min_requests=1)


def test_few_requests_alarm_nobody() -> None:
    long = Requests(60_000, 60_000)
    for valid, expected in ((9, False), (10, True)):
        short = Requests(valid, valid)
        assert expected is alarms(
            WINDOWS[0], long, short, objective=NINES, period=MONTH, min_requests=10
        )


@given(windows, periods)
def test_no_factor_is_below_one(window: BurnWindow, period: timedelta) -> None:
    assert window.factor(period) >= 1


@given(windows, periods)
def test_burning_at_the_factor_for_the_window_spends_the_share(
    window: BurnWindow, period: timedelta
) -> None:
    spent = window.factor(period) * Fraction(window.length // HOUR, period // HOUR)
    assert spent >= window.budget
    assert window.factor(period) == 1 or spent == window.budget


@given(traffic(), objectives)
def test_a_good_request_never_raises_the_burn_rate_and_a_bad_one_never_lowers_it(
    asked: Requests, objective: Fraction
) -> None:
    rate = burn_rate(asked, objective) or 0
    good, bad = asked + Requests(1, 0), asked + Requests(1, 1)
    assert (burn_rate(good, objective) or 0) <= rate <= (burn_rate(bad, objective) or 0)


@given(traffic(), traffic(), objectives)
def test_a_joined_window_burns_between_its_parts(
    one: Requests, other: Requests, objective: Fraction
) -> None:
    parts = [rate for each in (one, other) if (rate := burn_rate(each, objective)) is not None]
    joined = burn_rate(one + other, objective)
    assert joined is None if not parts else min(parts) <= (joined or 0) <= max(parts)


def test_traffic_weighs_a_quiet_bad_hour_is_not_half_of_two_hours() -> None:
    """A mean of the two shares would tell 50%: one bad request of one, none of 99."""
    joined = Requests(1, 1) + Requests(99, 0)
    assert burn_rate(joined, Fraction("0.99")) == 1


@given(windows, objectives, periods, traffic())
def test_what_cannot_be_reached_never_alarms(
    window: BurnWindow, objective: Fraction, period: timedelta, asked: Requests
) -> None:
    told = alarms(window, asked, asked, objective=objective, period=period, min_requests=1)
    assert not told or reachable(window, objective, period)


@given(windows, objectives, periods)
def test_a_total_outage_alarms_wherever_it_can(
    window: BurnWindow, objective: Fraction, period: timedelta
) -> None:
    down = Requests(100, 100)
    told = alarms(window, down, down, objective=objective, period=period, min_requests=1)
    assert told == reachable(window, objective, period)


@given(objectives)
def test_an_empty_window_has_no_rate_and_no_alarm(objective: Fraction) -> None:
    nothing = Requests(0, 0)
    assert burn_rate(nothing, objective) is None
    for window in WINDOWS:
        assert not alarms(
            window, nothing, nothing, objective=objective, period=MONTH, min_requests=1
        )
