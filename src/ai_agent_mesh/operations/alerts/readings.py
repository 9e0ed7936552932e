"""What the embedded evaluator looks at: the platform's minutes by window, and other figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from ai_agent_mesh.operations.alerts.model import Availability, Speed
from ai_agent_mesh.operations.objectives import Window
from ai_agent_mesh.operations.statements import Calls
from ai_agent_mesh.playbook import Playbook, Signal, Urgency
from ai_agent_mesh.sla import Requests, Sketch


def requests(window: Window, indicator: Availability | Speed, silent_bad: int) -> Requests:
    """Return the valid and the bad requests of a window that an indicator sees.

    A silent minute counts as `silent_bad` bad ones in availability.
    """
    match indicator:
        case Availability(service=service):
            mine = [one for one in window.calls if service in (None, one.service)]
            away = sum(n for name, n in window.silent.items() if service in (None, name))
            lost = away * silent_bad
            valid, bad = sum(one.valid for one in mine), sum(one.bad for one in mine)
            return Requests(valid + lost, bad + lost)
        case Speed(category=category, percentile=percentile):
            mine = [one for one in window.calls if one.category is category]
            timed = sum(one.timed for one in mine)
            return Requests(timed, timed - sum(_within(one, percentile) for one in mine))


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything that rules are evaluated over, as it was at one moment."""

    at: datetime
    windows: Mapping[timedelta, Window]
    #: Latencies of the window that rates are taken over, as buckets of a sketch.
    latencies: Mapping[int, int] = field(default_factory=dict)
    #: Shares in use and times left, worst first; one that nobody here can see is absent.
    figures: Mapping[Signal, Fraction | timedelta] = field(default_factory=dict)
    #: When each kind of event happened last.
    events: Mapping[Signal, datetime] = field(default_factory=dict)


def _within(calls: Calls, percentile: str) -> int:
    kept = {"p50": calls.within_p50, "p95": calls.within_p95, "p99": calls.within_p99}
    return kept[percentile]


def windows(playbook: Playbook) -> tuple[timedelta, ...]:
    """Return the windows that rules look at, shortest first."""
    burning = [one for urgency in Urgency for one in playbook.alerting.burn.of(urgency)]
    both = {length for one in burning for length in (one.length, one.short)}
    return tuple(sorted({playbook.alerting.rates_over, *both}))


def beyond(latencies: Mapping[int, int], level: timedelta) -> Requests:
    """Return the timed calls of a sketch, and those of them that took longer than a level.

    A bucket counts by the value that stands for it, so the level is blurred by the sketch's error.
    """
    level_us = level / timedelta(microseconds=1)
    slow = sum(n for index, n in latencies.items() if Sketch.value_of(index) > level_us)
    return Requests(sum(latencies.values()), slow)
