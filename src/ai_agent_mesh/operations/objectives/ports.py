"""What the routes of service levels ask of the wired application."""

from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database


class Wiring(Protocol):
    """The parts of the wired application that tenants are judged with."""

    operations: Database
    playbook: Playbook
    clock: Clock
    signer: Signer
