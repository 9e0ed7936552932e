"""The one definition of alerts: from the playbook to rules, for whoever evaluates them.

Two evaluators read it: the rules that are rendered for Prometheus, and the embedded one over the
ledger's minutes. What a rule's figure is, both take from here; how each comes by it, is its own.
"""

from collections.abc import Iterator
from datetime import timedelta

from ai_agent_mesh.operations.alerts.model import (
    Availability,
    Burn,
    Event,
    Objective,
    Rule,
    Speed,
    Threshold,
)
from ai_agent_mesh.playbook import Condition, Playbook, Sense, Signal, Urgency
from ai_agent_mesh.playbook.units import CONDITION, DURATION
from ai_agent_mesh.sla import PERCENTILES, BurnWindow, Category, percent_text, reachable

#: What each signal measures, in words.
FIGURES: dict[Signal, str] = {
    Signal.API_ERROR_RATE: "The share of API calls that failed by our fault is",
    Signal.LATENCY_P99: "The 99th percentile of API latency is",
    Signal.DATABASE_CONNECTIONS: "The share of the database's connections in use is",
    Signal.DISK_USAGE: "The share of a disk in use is",
    Signal.MEMORY_USAGE: "The share of a machine's memory in use is",
    Signal.CERTIFICATE_EXPIRY: "The time until a certificate expires is",
    Signal.POD_CRASH_LOOP: "A process or container keeps restarting",
    Signal.DEPLOYMENT_COMPLETED: "A deployment has completed",
    Signal.AUTOSCALING_TRIGGERED: "The number of replicas has changed",
    Signal.BACKUP_COMPLETED: "A backup has completed",
}
_AT_ONCE = timedelta(0)
#: The longest month: what no traffic can reach in it, none can in a shorter one.
_LONGEST = timedelta(days=31)


def objectives(playbook: Playbook) -> tuple[Objective, ...]:
    """Return what is promised of the platform: of its services together, of each, and in speed."""
    services = (None, *playbook.measurement.services)
    uptime = playbook.kpis.platform.uptime
    return (
        *(Objective(Availability(service), uptime) for service in services),
        *(
            Objective(Speed(Category(name), percentile, getattr(target, percentile)), share)
            for name, target in playbook.latency.items()
            for percentile, share in PERCENTILES.items()
        ),
    )


def rules(playbook: Playbook) -> tuple[Rule, ...]:
    """Return every alert of the playbook: its levels and events, then its error budgets."""
    return (*_signals(playbook), *_burns(playbook))


def latency_levels(playbook: Playbook) -> tuple[timedelta, ...]:
    """Return the latencies that alerts look at, for whoever counts calls by latency."""
    conditions = (group.rules.get(Signal.LATENCY_P99) for group in playbook.alerts.values())
    return tuple(
        one.level for one in conditions if one is not None and isinstance(one.level, timedelta)
    )


def _signals(playbook: Playbook) -> Iterator[Rule]:
    for name, group in playbook.alerts.items():
        for signal, condition in group.rules.items():
            yield Rule(
                watches=_watched(Signal(signal), condition),
                urgency=Urgency(name),
                tells=group.tells,
                lasting=_lasting(playbook, condition),
                summary=_said(Signal(signal), condition),
            )


def _watched(signal: Signal, condition: Condition) -> Threshold | Event:
    return Event(signal) if condition.sense is Sense.EVENT else Threshold(signal, condition)


def _lasting(playbook: Playbook, condition: Condition) -> timedelta:
    if condition.sense is Sense.EVENT:
        return _AT_ONCE
    return condition.lasting or playbook.alerting.lasting


def _said(signal: Signal, condition: Condition) -> str:
    level = "" if condition.sense is Sense.EVENT else f" {CONDITION.write(condition)}"
    return f"{FIGURES[signal]}{level}."


def _burns(playbook: Playbook) -> Iterator[Rule]:
    """Yield an alert for each objective and urgency, leaving out what no traffic could raise."""
    for objective in objectives(playbook):
        for urgency in Urgency:
            windows = tuple(
                window
                for window in playbook.alerting.burn.of(urgency)
                if reachable(window, objective.goal, _LONGEST)
            )
            if windows:
                yield Rule(
                    watches=Burn(objective, windows),
                    urgency=urgency,
                    tells=playbook.alerts[urgency].tells,
                    lasting=_AT_ONCE,
                    summary=_burning(objective, windows),
                )


def _burning(objective: Objective, windows: tuple[BurnWindow, ...]) -> str:
    told = (
        f"{percent_text(window.budget)} within {DURATION.write(window.length)}"
        for window in windows
    )
    goal = percent_text(objective.goal)
    return (
        f"The error budget of {objective.name} ({goal}) is being spent too fast: "
        f"more of the month's than {' or '.join(told)}."
    )
