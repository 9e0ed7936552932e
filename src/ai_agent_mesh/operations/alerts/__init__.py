"""What alarms, and when: one definition from the playbook, for Prometheus and for ourselves."""

from ai_agent_mesh.operations.alerts.advice import RUNBOOKS, Advice, advice, runbook
from ai_agent_mesh.operations.alerts.counting import look_ahead, metrics_of
from ai_agent_mesh.operations.alerts.definition import latency_levels, objectives, rules
from ai_agent_mesh.operations.alerts.evaluating import State, holds, moved, state_of
from ai_agent_mesh.operations.alerts.excluding import TOLD_FOR, exclusions, planned_exclusions
from ai_agent_mesh.operations.alerts.model import (
    Alert,
    Availability,
    Burn,
    Event,
    Objective,
    Rule,
    Speed,
    Threshold,
)
from ai_agent_mesh.operations.alerts.readings import Readings, requests, windows
from ai_agent_mesh.operations.alerts.service import Alerts
from ai_agent_mesh.operations.alerts.store import AlertStore, last_events
from ai_agent_mesh.operations.alerts.surroundings import Surroundings
from ai_agent_mesh.operations.alerts.views import AlertView, view

__all__ = [
    "RUNBOOKS",
    "TOLD_FOR",
    "Advice",
    "Alert",
    "AlertStore",
    "AlertView",
    "Alerts",
    "Availability",
    "Burn",
    "Event",
    "Objective",
    "Readings",
    "Rule",
    "Speed",
    "State",
    "Surroundings",
    "Threshold",
    "advice",
    "exclusions",
    "holds",
    "last_events",
    "latency_levels",
    "look_ahead",
    "metrics_of",
    "moved",
    "objectives",
    "planned_exclusions",
    "requests",
    "rules",
    "runbook",
    "state_of",
    "view",
    "windows",
]
