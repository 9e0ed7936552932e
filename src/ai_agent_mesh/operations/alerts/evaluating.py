"""Whether a rule's condition holds, and what an alert becomes by that."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from ai_agent_mesh.operations.alerts.model import Alert, Availability, Burn, Event, Rule, Threshold
from ai_agent_mesh.operations.alerts.readings import Readings, beyond, requests
from ai_agent_mesh.playbook import Condition, Playbook, Sense, Signal
from ai_agent_mesh.sla import PERCENTILES, Requests, alarms

_MINUTE = timedelta(minutes=1)


class State(StrEnum):
    """What an alert is, in Prometheus's words; and `resolved` for one that is over."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


#: The next state, by the present one and whether the condition holds and has lasted long enough.
#: A pending alert that ends was never one: nobody is told.
TRANSITIONS: Mapping[tuple[State, bool, bool], State] = {
    (State.INACTIVE, False, False): State.INACTIVE,
    (State.INACTIVE, True, False): State.PENDING,
    (State.INACTIVE, True, True): State.FIRING,
    (State.PENDING, False, False): State.INACTIVE,
    (State.PENDING, True, False): State.PENDING,
    (State.PENDING, True, True): State.FIRING,
    (State.FIRING, False, False): State.RESOLVED,
    (State.FIRING, True, False): State.FIRING,
    (State.FIRING, True, True): State.FIRING,
}


def state_of(alert: Alert) -> State:
    """Return what an alert is by its moments."""
    if alert.resolved_at is not None:
        return State.RESOLVED
    return State.PENDING if alert.fired_at is None else State.FIRING


def moved(state: State, since: datetime | None, rule: Rule, *, holds: bool, now: datetime) -> State:
    """Return what an alert becomes; `since` is when its condition began to hold."""
    lasted = holds and now - (since or now) >= rule.lasting
    return TRANSITIONS[state, holds, lasted]


def holds(rule: Rule, readings: Readings, playbook: Playbook) -> bool:
    """Tell whether a rule's condition holds; what nobody can see does not."""
    match rule.watches:
        case Burn():
            return _burns(rule.watches, readings, playbook)
        case Threshold(signal=Signal.API_ERROR_RATE, condition=condition):
            window = readings.windows[playbook.alerting.rates_over]
            found = requests(window, Availability(None), _silent_bad(playbook))
            return _share(found, condition, playbook)
        case Threshold(signal=Signal.LATENCY_P99, condition=condition):
            return _slow(readings, condition, playbook)
        case Threshold(signal=signal, condition=condition):
            figure = readings.figures.get(signal)
            return figure is not None and condition.reached(figure)
        case Event(signal=signal):
            last = readings.events.get(signal)
            return last is not None and readings.at - last < playbook.alerting.events_shown


def _burns(burn: Burn, readings: Readings, playbook: Playbook) -> bool:
    month = playbook.measurement.window_of(readings.at).span.length
    silent_bad, indicator = _silent_bad(playbook), burn.objective.indicator
    return any(
        alarms(
            window,
            requests(readings.windows[window.length], indicator, silent_bad),
            requests(readings.windows[window.short], indicator, silent_bad),
            objective=burn.objective.goal,
            period=month,
            min_requests=playbook.alerting.min_requests,
        )
        for window in burn.windows
    )


def _share(found: Requests, condition: Condition, playbook: Playbook) -> bool:
    if found.valid < max(1, playbook.alerting.min_requests):
        return False
    return condition.reached(Fraction(found.bad, found.valid))


def _slow(readings: Readings, condition: Condition, playbook: Playbook) -> bool:
    """Hold the share of calls beyond the level against what the percentile leaves to them."""
    if not isinstance(condition.level, timedelta):
        return False
    found = beyond(readings.latencies, condition.level)
    if found.valid < max(1, playbook.alerting.min_requests):
        return False
    above = Fraction(found.bad, found.valid) > 1 - PERCENTILES["p99"]
    return above if condition.sense is Sense.ABOVE else not above


def _silent_bad(playbook: Playbook) -> int:
    return _MINUTE // playbook.measurement.probe.interval
