"""What identity asks of the wired application."""

from collections.abc import Sequence
from typing import Protocol

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.crypto import KeyedHash
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity.authenticator import Authenticator
from ai_agent_mesh.product.identity.model import TenantHook


class Wiring(Protocol):
    """The parts of the wired application that identity uses."""

    @property
    def app(self) -> Database:
        """Return the pool of the application's role."""
        ...

    @property
    def operations(self) -> Database:
        """Return the pool that sees every tenant."""
        ...

    @property
    def hasher(self) -> KeyedHash:
        """Return the keyed hash that keys are stored under."""
        ...

    @property
    def playbook(self) -> Playbook:
        """Return the playbook in force."""
        ...

    @property
    def clock(self) -> Clock:
        """Return what tells the time."""
        ...

    @property
    def authenticator(self) -> Authenticator:
        """Return who remembers callers."""
        ...

    @property
    def on_tenant_created(self) -> Sequence[TenantHook]:
        """Return what is done for each new tenant."""
        ...
