"""The one definition of alerts: all of the playbook's, and how each of them moves."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from ai_agent_mesh.operations.alerts import (
    Burn,
    Event,
    Readings,
    Rule,
    Speed,
    State,
    Threshold,
    holds,
    latency_levels,
    moved,
    objectives,
    rules,
    windows,
)
from ai_agent_mesh.operations.alerts.evaluating import TRANSITIONS
from ai_agent_mesh.operations.objectives import Window
from ai_agent_mesh.playbook import Signal, Tells, default, parse, promising
from ai_agent_mesh.sla import Category

BOOK = default()
NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTHING = {length: Window() for length in windows(BOOK)}


def rule(signal: Signal) -> Rule:
    return next(
        one
        for one in rules(BOOK)
        if isinstance(one.watches, Threshold | Event) and one.watches.signal is signal
    )


def test_every_alert_of_the_playbook_is_a_rule_that_tells_whom_the_playbook_names() -> None:
    asked = {
        (name, signal, group.tells) for name, group in BOOK.alerts.items() for signal in group.rules
    }
    told = {
        (one.urgency, one.watches.signal, one.tells)
        for one in rules(BOOK)
        if isinstance(one.watches, Threshold | Event)
    }
    assert told == asked
    assert len(asked) == 12


def test_every_objective_has_a_budget_alert_unless_no_traffic_could_raise_it() -> None:
    told = Counter(
        one.watches.objective.name for one in rules(BOOK) if isinstance(one.watches, Burn)
    )
    names = [one.name for one in objectives(BOOK)]
    assert len(names) == 5 + 15
    # A p50 burns its budget at most twice as fast as allowed: only the slowest window can tell.
    assert told == {name: 1 if name.endswith("p50") else 2 for name in names}


def test_rules_are_told_apart_and_say_what_they_mean() -> None:
    keys = Counter(one.key for one in rules(BOOK))
    assert set(keys.values()) == {1}
    said = {one.key: one.summary for one in rules(BOOK)}
    assert said["critical/api_error_rate"] == (
        "The share of API calls that failed by our fault is above 5%."
    )
    assert said["info/backup_completed"] == "A backup has completed."
    assert said["warning/burn/api-availability"] == (
        "The error budget of api-availability (99.99%) is being spent too fast: "
        "more of the month's than 10% within 24h or 10% within 72h."
    )


def test_a_changed_playbook_changes_the_rules() -> None:
    book = parse(
        b"alerts: {info: {tells: slack}, warning: {rules: {latency_p99: above 700ms for 9m}}}", "m"
    )
    changed = {one.key: one for one in rules(book)}
    assert changed["info/backup_completed"].tells is Tells.SLACK
    assert changed["warning/latency_p99"].lasting == 9 * MINUTE
    assert changed["critical/latency_p99"].lasting == BOOK.alerting.lasting
    assert set(latency_levels(book)) == {timedelta(seconds=2), timedelta(milliseconds=700)}


def test_budgets_are_of_what_is_promised_for_the_month_and_windows_are_todays() -> None:
    today = parse(b"latency: {agent_crud: {p50: 90ms}}\nalerts: {warning: {tells: page}}", "today")
    burns = [one for one in rules(promising(today, BOOK)) if isinstance(one.watches, Burn)]
    assert {one.tells for one in burns if one.urgency == "warning"} == {Tells.PAGE}
    indicators = [one.watches.objective.indicator for one in burns if isinstance(one.watches, Burn)]
    assert Speed(Category.AGENT_CRUD, "p50", BOOK.latency["agent_crud"].p50) in indicators


@pytest.mark.parametrize("signal", list(Signal))
def test_what_nobody_can_see_alarms_nobody(signal: Signal) -> None:
    assert not holds(rule(signal), Readings(NOW, NOTHING), BOOK)


def test_an_event_is_told_for_as_long_as_the_playbook_says() -> None:
    shown = BOOK.alerting.events_shown
    for ago, expected in ((timedelta(0), True), (shown - MINUTE, True), (shown, False)):
        readings = Readings(NOW, NOTHING, events={Signal.BACKUP_COMPLETED: NOW - ago})
        assert holds(rule(Signal.BACKUP_COMPLETED), readings, BOOK) is expected


def test_exactly_the_level_is_no_alarm() -> None:
    for share, expected in ((Fraction("0.85"), False), (Fraction("0.8501"), True)):
        readings = Readings(NOW, NOTHING, figures={Signal.DISK_USAGE: share})
        assert holds(rule(Signal.DISK_USAGE), readings, BOOK) is expected


def test_an_alert_fires_once_its_condition_has_lasted_and_not_before() -> None:
    watched = rule(Signal.DISK_USAGE)
    state, since = State.INACTIVE, NOW
    walked = []
    for minute in range(5):
        state = moved(state, since, watched, holds=True, now=NOW + minute * MINUTE)
        walked.append(state.value)
    assert walked == ["pending", "pending", "firing", "firing", "firing"]
    assert moved(state, None, watched, holds=False, now=NOW + 5 * MINUTE) is State.RESOLVED


def test_an_alert_that_ends_before_it_fired_was_never_one() -> None:
    watched = rule(Signal.DISK_USAGE)
    assert moved(State.PENDING, NOW, watched, holds=False, now=NOW + MINUTE) is State.INACTIVE


def test_every_state_that_goes_on_has_a_way_for_every_condition() -> None:
    ways = {(False, False), (True, False), (True, True)}
    for state in (State.INACTIVE, State.PENDING, State.FIRING):
        assert {(holds, lasted) for s, holds, lasted in TRANSITIONS if s is state} == ways
