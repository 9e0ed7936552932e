"""What telemetry asks of its surroundings."""

from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock


class Wiring(Protocol):
    """What the routes take from the wired application."""

    clock: Clock
