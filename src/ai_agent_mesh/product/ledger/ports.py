"""What the ledger's routes ask of the wired application."""

from typing import Protocol

from ai_agent_mesh.plumbing.crypto import Signer


class Wiring(Protocol):
    """The one part of the wired application that is used here."""

    @property
    def signer(self) -> Signer:
        """Return what signs this installation's ledger."""
        ...
