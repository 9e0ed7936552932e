"""Burn by window and the month's end, worked out by hand."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from ai_agent_mesh.operations.statements import Calls, Slo, burnt
from ai_agent_mesh.sla import Category, Service

HOUR, DAYS = timedelta(hours=1), timedelta(days=3)
#: A month of 30 days of which 10 have passed.
MONTH = SimpleNamespace(
    since=datetime(2026, 11, 1, tzinfo=UTC),
    until=datetime(2026, 11, 11, tzinfo=UTC),
    asked_until=datetime(2026, 12, 1, tzinfo=UTC),
)


def slo(objective: str = "99.9%", missed: str = "8.64", **more: str) -> Slo:
    """Return an objective over those 10 days; by default 8.64 of 14.4 minutes are lost."""
    # Any: the fields of a struct, of whatever type each is.
    fields: dict[str, Any] = {"kind": "availability", "service": "api", **more}
    return Slo(
        objective=objective, attainment=None, met=None, unit="minutes", counted=14_400,
        missed=missed, allowed="", budget_remaining_ratio="", **fields,
    )  # fmt: skip


def calls(valid: int, bad: int, service: Service = Service.API, slow: int = 0) -> Calls:
    kept = valid - slow
    return Calls(service, Category.AGENT_CRUD, valid, valid, bad, valid, kept, kept, kept)


def told(
    one: Slo,
    windows: dict[timedelta, tuple[list[Calls], dict[Service, int]]],
    factor: Fraction = Fraction(3),
) -> Slo:
    seen = {length: (found, factor) for length, found in windows.items()}
    return burnt(one, MONTH, seen)  # type: ignore[arg-type] # the three moments are all it reads


def test_each_window_has_its_rate_and_the_longest_leads_on() -> None:
    one = told(slo(), {HOUR: ([calls(1000, 10)], {}), DAYS: ([calls(10_000, 15)], {})})
    assert [(b.window, b.valid, b.bad, b.rate) for b in one.burn] == [
        ("1h", 1000, 10, "10"),
        ("72h", 10_000, 15, "1.5"),
    ]
    # A third of the month's budget has come due and 60% of that is gone: 80% of all is left.
    # Two thirds of the month at 1.5 take 100% away: 20% too much, after 80% / 1.5 = 16 days.
    assert one.ahead is not None
    assert one.ahead.month_remaining_ratio == "0.8"
    assert one.ahead.projected_remaining_ratio == "-0.2"
    assert one.ahead.exhausted_at == datetime(2026, 11, 27, tzinfo=UTC)


def test_a_budget_that_lasts_has_no_end_before_the_months() -> None:
    one = told(slo(missed="0"), {DAYS: ([calls(10_000, 10)], {})})
    assert one.ahead is not None
    assert one.ahead.projected_remaining_ratio == "0.333333333333"
    assert one.ahead.exhausted_at is None


def test_minutes_that_do_not_count_spend_none_of_the_budget() -> None:
    # Half of the ten days was left out: a fifth of what counts in the month has passed.
    half = structs.replace(slo(missed="4.32"), counted=7_200)
    ahead = told(half, {DAYS: ([calls(10_000, 10)], {})}).ahead
    assert ahead is not None
    assert ahead.month_remaining_ratio == "0.88"
    assert ahead.projected_remaining_ratio == "0.08"


def test_each_window_says_where_it_alarms_and_whether_anything_could_reach_that() -> None:
    windows: dict[timedelta, tuple[list[Calls], dict[Service, int]]] = {HOUR: ([], {})}
    assert told(slo(), windows, Fraction("14.4")).burn[0].alarms_above == "14.4"
    assert told(slo("95%"), windows, Fraction("14.4")).burn[0].alarms_above == "14.4"
    assert told(slo("90%"), windows, Fraction("14.4")).burn[0].alarms_above is None


def test_a_silent_probe_burns_the_budget_of_its_service_and_the_platforms() -> None:
    windows: dict[timedelta, tuple[list[Calls], dict[Service, int]]] = {
        DAYS: ([calls(96, 0)], {Service.API: 4, Service.TELEMETRY: 100})
    }
    assert [b.bad for b in told(slo(), windows).burn] == [4]
    assert [b.bad for b in told(slo(service="platform"), windows).burn] == [104]
    assert [b.bad for b in told(slo(service="governance"), windows).burn] == [0]


def test_a_latency_objective_burns_by_its_slow_calls() -> None:
    more = {"kind": "latency", "service": "", "category": "agent_crud", "percentile": "p99"}
    one = told(slo("99%", **more), {DAYS: ([calls(1000, 500, slow=20)], {Service.API: 9})})
    assert [(b.valid, b.bad, b.rate) for b in one.burn] == [(1000, 20, "2")]


@pytest.mark.parametrize(("bad", "rate"), [(0, "0"), (1, "infinite")])
def test_where_nothing_may_fail_one_bad_call_burns_without_end(bad: int, rate: str) -> None:
    one = told(slo("100%"), {DAYS: ([calls(10, bad)], {})})
    assert [b.rate for b in one.burn] == [rate]
    assert one.ahead is not None
    assert (one.ahead.exhausted_at == MONTH.until) is bool(bad)


def test_without_a_call_there_is_no_rate_and_no_projection() -> None:
    one = told(slo(), {DAYS: ([], {})})
    assert [b.rate for b in one.burn] == [None]
    assert one.ahead is None
