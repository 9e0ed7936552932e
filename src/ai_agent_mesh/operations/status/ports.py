"""What the public routes ask of the wired application."""

from typing import Protocol

from ai_agent_mesh.operations.status.readiness import Readiness
from ai_agent_mesh.operations.status.service import Status


class Wiring(Protocol):
    """Who knows how the platform is, and whether this process can serve."""

    status: Status
    readiness: Readiness
