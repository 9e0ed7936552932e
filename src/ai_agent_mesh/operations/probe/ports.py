"""What the probe's route asks of the wired application."""

from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.playbook import Playbook


class Wiring(Protocol):
    """The parts that a run is waited for with."""

    playbook: Playbook
    clock: Clock
