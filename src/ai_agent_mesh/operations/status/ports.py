"""What the public routes ask of the wired application."""

from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.status.service import Status
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger import Inbox


class Wiring(Protocol):
    """The parts that show how the platform is, and the parts that readiness looks at."""

    app: Database
    operations: Database
    playbook: Playbook
    clock: Clock
    inbox: Inbox
    status: Status
