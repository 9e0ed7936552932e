"""What planned work is, what it takes out of the figures, and how entries tell of it. Needs no server."""  # noqa: E501

from ai_agent_mesh.evidence import Link, Numbered, is_evidence, link_of
from ai_agent_mesh.operations.planned.evidence import (
    announced,
    cancelled,
    drawn,
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
from ai_agent_mesh.operations.planned.telling import Told, is_telling, telling

__all__ = [
    "FURTHEST",
    "AlreadyCancelled",
    "AlreadyOver",
    "Draft",
    "Link",
    "Maintenance",
    "MaintenanceInvalid",
    "MaintenanceMissing",
    "Numbered",
    "PlatformAlone",
    "Proof",
    "State",
    "Told",
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
    "is_telling",
    "link_of",
    "notice_asked",
    "proof_at",
    "running",
    "state_of",
    "telling",
    "verdict",
    "window_note",
]
