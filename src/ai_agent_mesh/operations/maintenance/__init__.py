"""Planned maintenance: announced ahead, proved by the ledger, and what it takes out of the figures."""  # noqa: E501

from ai_agent_mesh.operations.maintenance.evidence import Numbered, drawn, is_evidence
from ai_agent_mesh.operations.maintenance.facts import (
    AlreadyCancelled,
    AlreadyOver,
    MaintenanceInvalid,
    MaintenanceMissing,
    PlatformAlone,
)
from ai_agent_mesh.operations.maintenance.model import Draft, Maintenance, Proof, State
from ai_agent_mesh.operations.maintenance.rules import (
    FURTHEST,
    as_of,
    excluded_spans,
    excludes,
    is_late,
    is_outside_window,
    notice_asked,
    running,
    state_of,
    verdict,
    window_note,
)
from ai_agent_mesh.operations.maintenance.service import MaintenanceCalendar
from ai_agent_mesh.operations.maintenance.store import acts, touching
from ai_agent_mesh.operations.maintenance.views import MaintenanceView, view

__all__ = [
    "FURTHEST",
    "AlreadyCancelled",
    "AlreadyOver",
    "Draft",
    "Maintenance",
    "MaintenanceCalendar",
    "MaintenanceInvalid",
    "MaintenanceMissing",
    "MaintenanceView",
    "Numbered",
    "PlatformAlone",
    "Proof",
    "State",
    "acts",
    "as_of",
    "drawn",
    "excluded_spans",
    "excludes",
    "is_evidence",
    "is_late",
    "is_outside_window",
    "notice_asked",
    "running",
    "state_of",
    "touching",
    "verdict",
    "view",
    "window_note",
]
