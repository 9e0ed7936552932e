"""What the public may know: the core services' present state, their days, and readiness."""

from ai_agent_mesh.operations.status.model import Component, Day, Indicator, Overview, State
from ai_agent_mesh.operations.status.readiness import ROOM_BYTES, Check, Readiness
from ai_agent_mesh.operations.status.rules import DAYS, RECENT, indicator
from ai_agent_mesh.operations.status.service import Status
from ai_agent_mesh.operations.status.statuspage import NAMES

__all__ = [
    "DAYS",
    "NAMES",
    "RECENT",
    "ROOM_BYTES",
    "Check",
    "Component",
    "Day",
    "Indicator",
    "Overview",
    "Readiness",
    "State",
    "Status",
    "indicator",
]
