"""Outcomes, budgets, attainment, credits, the sketch and how exact figures are written."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import (
    OUTCOMES,
    BusinessDays,
    Fault,
    Sketch,
    Years,
    allowed_budget,
    attainment,
    bad,
    budget_left,
    credit_percent,
    due,
    fault_of_status,
    fraction_text,
    percent_text,
    timed,
    valid,
    within,
)

SHARES = st.fractions(0, 1, max_denominator=100_000)
LATENCIES = st.integers(1, 2**39)


def test_every_fault_has_its_row_and_its_reason() -> None:
    assert set(OUTCOMES) == set(Fault)
    assert all(outcome.reason for outcome in OUTCOMES.values())


def test_valid_are_none_upstream_and_platform_and_bad_is_platform_alone() -> None:
    assert {fault for fault in Fault if valid(fault)} == {"none", "upstream", "platform"}
    assert {fault for fault in Fault if bad(fault)} == {"platform"}
    assert {fault for fault in Fault if timed(fault)} == {"none", "platform"}


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_a_fault(status: int) -> None:
    fault = fault_of_status(status)
    assert (fault is Fault.PLATFORM) == (status >= 500)
    assert (fault is Fault.QUOTA) == (status == 429)
    assert (fault is Fault.NONE) == (status < 400)


@pytest.mark.parametrize("status", [42, 99, 600, -1, 0])
def test_what_is_no_status_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="not an HTTP status"):
        fault_of_status(status)


def test_an_upstreams_fault_is_within_no_threshold_and_counted_in_none() -> None:
    assert not within(Fault.UPSTREAM, 1, 1_000_000)


def test_the_allowed_budget_comes_from_the_months_real_length() -> None:
    tiers = default().tiers
    assert allowed_budget(tiers["professional"].uptime, 30 * 1440) == Fraction("43.2")
    assert allowed_budget(tiers["enterprise"].uptime, 365 * 1440) == Fraction("52.56")
    assert allowed_budget(tiers["free"].uptime, 28 * 1440) == Fraction("201.6")


@given(SHARES.filter(lambda share: share < 1), st.integers(1, 44_640))
def test_a_spent_budget_is_at_zero_and_an_unspent_one_at_all(objective: Fraction, n: int) -> None:
    allowed = allowed_budget(objective, n)
    assert budget_left(allowed, allowed) == 0
    assert budget_left(allowed, Fraction(0)) == 1
    assert budget_left(allowed, 2 * allowed) == -1


def test_a_percentile_is_kept_at_exactly_its_share() -> None:
    assert attainment(95, 100, "p95").met
    assert not attainment(9_499, 10_000, "p95").met
    assert attainment(0, 0, "p50") == attainment(0, 0, "p99")


@pytest.mark.parametrize("counts", [(2, 1), (-1, 1)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be within"):
        attainment(*counts, "p50")


@pytest.mark.parametrize(
    ("uptime", "credit"),
    [
        ("1", "0"), ("0.9999", "0"), ("0.99989999999999", "0.1"), ("0.999", "0.1"),
        ("0.9989999999999", "0.25"), ("0.99", "0.25"), ("0.989999999999", "0.5"), ("0", "0.5"),
    ],
)  # fmt: skip
def test_the_credit_ladder_is_read_exactly_at_its_edges(uptime: str, credit: str) -> None:
    ladder = default().tiers["enterprise"].ladder
    assert credit_percent(Fraction(uptime), ladder) == Fraction(credit)


@given(SHARES)
def test_a_tier_without_a_ladder_pays_nothing(uptime: Fraction) -> None:
    assert credit_percent(uptime, default().tiers["free"].ladder) == 0
    assert credit_percent(uptime, None) == 0


@given(SHARES, SHARES)
def test_a_worse_month_never_pays_less(one: Fraction, other: Fraction) -> None:
    ladder = default().tiers["enterprise"].ladder
    worse, better = sorted((one, other))
    assert credit_percent(worse, ladder) >= credit_percent(better, ladder)


@given(LATENCIES)
def test_a_buckets_value_is_within_one_percent(latency_us: int) -> None:
    estimate = Sketch.value_of(Sketch.index_of(latency_us))
    assert abs(estimate - latency_us) <= float(Sketch.error) * latency_us * (1 + 1e-9)


@given(st.lists(LATENCIES, min_size=1, max_size=50), st.integers(0, 100))
def test_a_quantile_is_within_one_percent_of_the_exact_one(values: list[int], q: int) -> None:
    share = Fraction(q, 100)
    rank = max(1, -(-share.numerator * len(values) // share.denominator))
    exact = sorted(values)[rank - 1]
    estimate = Sketch.quantile(Sketch.of(values), share)
    assert estimate is not None
    assert abs(estimate - exact) <= float(Sketch.error) * exact * (1 + 1e-9)


@given(st.lists(LATENCIES, max_size=40), st.integers(0, 40))
def test_splitting_and_merging_sketches_changes_nothing(values: list[int], cut: int) -> None:
    parts = Sketch.merged(Sketch.of(values[:cut]), Sketch.of(values[cut:]))
    assert parts == Sketch.of(values)


def test_an_empty_sketch_has_no_quantile_and_a_float_share_means_what_it_says() -> None:
    assert Sketch.quantile({}, 0.99) is None
    counts = {1: 7, 400: 93}
    assert Sketch.quantile(counts, 0.07) == Sketch.value_of(1)


def test_nothing_is_too_short_or_too_long_for_the_sketch() -> None:
    assert Sketch.index_of(0) == Sketch.index_of(-5) == Sketch.index_of(1) == 0
    assert Sketch.index_of(10**18) == Sketch.index_of(2**41)


@given(st.fractions(0, 1))
def test_a_written_percentage_never_looks_better_than_it_is(share: Fraction) -> None:
    text = percent_text(share)
    read = Fraction(text.removesuffix("%")) / 100
    assert read <= share < read + Fraction(1, 10**14)
    over, under = fraction_text(share).split("/")
    assert Fraction(int(over), int(under)) == share


def test_a_percentage_has_as_many_digits_as_it_needs() -> None:
    assert percent_text(Fraction("0.99999999999")) == "99.999999999%"
    assert percent_text(1 - Fraction(1, 10**20)) == "99.999999999999%"
    assert percent_text(Fraction(1, 3)) == "33.333333333333%"
    assert percent_text(Fraction(-1, 2)) == "-50%"


def test_business_days_pass_over_the_weekend() -> None:
    friday = datetime(2026, 11, 6, 17, 30, tzinfo=UTC)
    assert BusinessDays(2).after(friday) == datetime(2026, 11, 10, 17, 30, tzinfo=UTC)
    assert due(friday, timedelta(hours=4)) == friday + timedelta(hours=4)


def test_years_are_calendar_years() -> None:
    assert Years(7).after(datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2033, 3, 1, tzinfo=UTC)


def test_the_weekly_window_covers_what_lies_inside_it() -> None:
    from ai_agent_mesh.kernel.spans import Span

    window = default().maintenance.window
    sunday = datetime(2026, 11, 8, 2, tzinfo=UTC)
    hours = timedelta(hours=4)
    assert window.covers(Span(sunday, sunday + hours))
    assert not window.covers(Span(sunday, sunday + hours + timedelta(minutes=1)))
    assert not window.covers(Span(sunday - timedelta(days=1), sunday))
