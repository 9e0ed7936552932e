"""What was promised to each tenant and what was kept: objectives, statements, their recount."""

from ai_agent_mesh.operations.objectives.model import Calls, Evidence, Outage, Watch
from ai_agent_mesh.operations.objectives.rules import (
    joined,
    judge,
    judged_span,
    outages,
    settled_until,
)
from ai_agent_mesh.operations.objectives.service import Objectives, SpanAhead
from ai_agent_mesh.operations.objectives.slos import Slo, slos
from ai_agent_mesh.operations.objectives.statement import (
    CIRCUMSTANCES,
    Statement,
    first_difference,
)
from ai_agent_mesh.operations.objectives.store import PROBE, ObjectiveStore
from ai_agent_mesh.operations.objectives.text import as_brief, as_text, slos_as_text

__all__ = [
    "CIRCUMSTANCES",
    "PROBE",
    "Calls",
    "Evidence",
    "ObjectiveStore",
    "Objectives",
    "Outage",
    "Slo",
    "SpanAhead",
    "Statement",
    "Watch",
    "as_brief",
    "as_text",
    "first_difference",
    "joined",
    "judge",
    "judged_span",
    "outages",
    "settled_until",
    "slos",
    "slos_as_text",
]
