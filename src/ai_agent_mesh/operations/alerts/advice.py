"""What an alert says to whoever is woken by it: who is hurt, and what to look at first."""

from typing import NamedTuple

from ai_agent_mesh.operations.alerts.model import Availability, Burn, Objective, Rule
from ai_agent_mesh.playbook import Signal
from ai_agent_mesh.playbook.units import DURATION
from ai_agent_mesh.sla import percent_text

#: Where each alert has a chapter of its own, named as the alert is.
RUNBOOKS = "docs/runbooks.md"


class Advice(NamedTuple):
    """A sentence or two each: who is hurt, and where to look first."""

    hurt: str
    look: str


_BY_SIGNAL: dict[Signal, Advice] = {
    Signal.API_ERROR_RATE: Advice(
        "Callers of every tenant get errors of ours, or no answer at all.",
        "`mesh doctor`, then /readyz and the API's log; which service, says the burn rate.",
    ),
    Signal.LATENCY_P99: Advice(
        "More than one call in a hundred waits that long on us; what agents take is left out.",
        "Latency by category on the dashboard; then the load, locks and disk of the database.",
    ),
    Signal.DATABASE_CONNECTIONS: Advice(
        "Nobody yet; when none is left, calls are refused with 503.",
        "Who holds them, in pg_stat_activity by usename, application_name and state.",
    ),
    Signal.DISK_USAGE: Advice(
        "Nobody yet; once it is full the database stops, and calls are refused with 503.",
        "What grows on it: the database, its write-ahead log, logs, the spool.",
    ),
    Signal.MEMORY_USAGE: Advice(
        "Nobody yet; once it is used up the kernel ends a process, perhaps the database.",
        "Which process grows, by resident memory.",
    ),
    Signal.CERTIFICATE_EXPIRY: Advice(
        "Nobody yet; from that moment on no caller gets a connection.",
        "Why the certificate of this address was not renewed by itself.",
    ),
    Signal.POD_CRASH_LOOP: Advice(
        "Callers, if it is an API; runs wait, if it is a worker; and while it is the probe, "
        "unmeasured minutes count as lost.",
        "The last lines of its log before it ended, and what was deployed last.",
    ),
    Signal.DEPLOYMENT_COMPLETED: Advice(
        "Nobody.", "Whether errors and latency stay as they were; else roll back."
    ),
    Signal.AUTOSCALING_TRIGGERED: Advice(
        "Nobody.", "Whether the request rate or the CPU explains it."
    ),
    Signal.BACKUP_COMPLETED: Advice("Nobody.", "Nothing: it went well."),
}


def advice(rule: Rule) -> Advice:
    """Return what a rule's alert says beside its summary."""
    if isinstance(rule.watches, Burn):
        return _burning(rule.watches.objective)
    return _BY_SIGNAL[rule.watches.signal]


def runbook(name: str) -> str:
    """Return the chapter of an alert by its name, within the runbooks.

    >>> runbook("ApiErrorRate"), runbook("LatencyP99")
    ('api-error-rate', 'latency-p99')
    """
    return "".join(f"-{one.lower()}" if one.isupper() else one for one in name).removeprefix("-")


def _burning(objective: Objective) -> Advice:
    one = objective.indicator
    if isinstance(one, Availability):
        whose = f"Callers of {one.service}" if one.service else "Callers"
        return Advice(
            f"{whose} get errors of ours, or no answer. At this rate the month's promise breaks, "
            "and credits fall due.",
            "Which service burns, on the objectives page; then `mesh doctor` and the API's log.",
        )
    limit = DURATION.write(one.threshold)
    share = percent_text(1 - objective.goal)
    return Advice(
        f"More than {share} of {one.category} calls take {limit} or longer on our side.",
        "Latency by category on the dashboard; then the load, locks and disk of the database.",
    )
