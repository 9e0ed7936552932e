"""What notices ask of the outside: to be sent, and their secrets sealed."""

from typing import Protocol

from ai_agent_mesh.operations.notices.model import Message, Outcome
from ai_agent_mesh.plumbing.postgres import Tx


class Sender(Protocol):
    """Sends one message to a subscriber's address; every failure is an outcome."""

    async def send(self, url: str, secret: str, message: Message, *, deadline_s: float) -> Outcome:
        """Try once, within `deadline_s` seconds."""
        ...


class Vault(Protocol):
    """Seals what must not be read in the table."""

    async def seal(self, tx: Tx, table: str, column: str, row_key: str, plaintext: bytes) -> bytes:
        """Encrypt for one cell of the transaction's tenant."""
        ...

    async def open(self, tx: Tx, table: str, column: str, row_key: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed for the same cell."""
        ...
