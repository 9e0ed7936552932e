"""What was promised to each tenant and what was kept: objectives, statements, their recount."""

from ai_agent_mesh.operations.objectives.bundling import Bundles
from ai_agent_mesh.operations.objectives.page import as_page
from ai_agent_mesh.operations.objectives.service import Objectives, SpanAhead
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.objectives.windows import Window, read_windows
from ai_agent_mesh.operations.statements import (
    CIRCUMSTANCES,
    PROBE,
    Calls,
    Evidence,
    Outage,
    Slo,
    Statement,
    Watch,
    as_brief,
    as_text,
    first_difference,
    joined,
    judge,
    judged_span,
    outages,
    settled_until,
    slos,
    slos_as_text,
)

__all__ = [
    "CIRCUMSTANCES",
    "PROBE",
    "Bundles",
    "Calls",
    "Evidence",
    "ObjectiveStore",
    "Objectives",
    "Outage",
    "Slo",
    "SpanAhead",
    "Statement",
    "Watch",
    "Window",
    "as_brief",
    "as_page",
    "as_text",
    "first_difference",
    "joined",
    "judge",
    "judged_span",
    "outages",
    "read_windows",
    "settled_until",
    "slos",
    "slos_as_text",
]
