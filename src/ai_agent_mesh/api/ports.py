"""What the door asks of the wired application."""

from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import Allowances, Authenticator
from ai_agent_mesh.product.ledger import Inbox, Spool


class Wiring(Protocol):
    """What the door needs of the wired application."""

    app: Database
    playbook: Playbook
    clock: Clock
    authenticator: Authenticator
    allowances: Allowances
    inbox: Inbox
    spool: Spool
    metrics: Metrics
