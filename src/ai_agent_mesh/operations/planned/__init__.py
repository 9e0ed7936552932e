"""What planned work is, what it takes out of the figures, and how entries tell of it. Needs no server."""  # noqa: E501

from ai_agent_mesh.operations.planned.evidence import (
    Numbered,
    announced,
    cancelled,
    drawn,
    is_evidence,
    proof_at,
)
from ai_agent_mesh.operations.planned.facts import (
    AlreadyCancelled,
    AlreadyOver,
    MaintenanceInvalid,
    MaintenanceMissing,
    PlatformAlone,
)
from ai_agent_mesh.operations.planned.model import Draft, Maintenance, Proof, State
from ai_agent_mesh.operations.planned.rules import (
    FURTHEST,
    as_of,
    check_draft,
    excluded_spans,
    excludes,
    impact,
    is_late,
    is_outside_window,
    notice_asked,
    running,
    state_of,
    verdict,
    window_note,
)

__all__ = [
    "FURTHEST",
    "AlreadyCancelled",
    "AlreadyOver",
    "Draft",
    "Maintenance",
    "MaintenanceInvalid",
    "MaintenanceMissing",
    "Numbered",
    "PlatformAlone",
    "Proof",
    "State",
    "announced",
    "as_of",
    "cancelled",
    "check_draft",
    "drawn",
    "excluded_spans",
    "excludes",
    "impact",
    "is_evidence",
    "is_late",
    "is_outside_window",
    "notice_asked",
    "proof_at",
    "running",
    "state_of",
    "verdict",
    "window_note",
]
