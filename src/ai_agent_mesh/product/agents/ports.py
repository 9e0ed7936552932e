"""What agents ask of the outside: to be called, checked, described; to be decided on and sealed."""

from typing import Protocol

from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents.model import Card, Message, Reply, Target
from ai_agent_mesh.product.governance import Decision, Question


class AgentCaller(Protocol):
    """Speaks one kind of agent's language; every failure is a fact."""

    async def call(
        self,
        target: Target,
        message: Message,
        *,
        deadline_s: float,
        idempotency_key: str,
        traceparent: str | None,
    ) -> Reply:
        """Say `message` and return the reply within `deadline_s` seconds.

        Raises:
            UpstreamFailed: in one of its kinds; `sent` says whether the agent may have acted.
            Denied: the address may not be reached.
        """
        ...

    async def check(self, target: Target, *, deadline_s: float) -> None:
        """Return when the agent is there, within `deadline_s` seconds; raise as `call` does."""
        ...


class CardReader(Protocol):
    """Reads what an A2A agent says of itself."""

    async def read(self, target: Target, *, deadline_s: float) -> Card:
        """Fetch and check the card at the target's URL; CardUnusable says what is wrong with it."""
        ...


class Gate(Protocol):
    """Decides by the tenant's policies."""

    async def decide(self, tx: Tx, question: Question, *, run_id: str | None = None) -> Decision:
        """Return what the policies say; any error is a deny."""
        ...


class Vault(Protocol):
    """Seals what must not be read in the table."""

    async def seal(self, tx: Tx, table: str, column: str, row_key: str, plaintext: bytes) -> bytes:
        """Encrypt for one cell of the transaction's tenant."""
        ...

    async def open(self, tx: Tx, table: str, column: str, row_key: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed for the same cell."""
        ...


class Work(Protocol):
    """A unit of work of one tenant: `Unit` of a request, or a worker's own."""

    async def begin(self) -> Tx:
        """Return the open transaction, opened on first use."""
        ...

    async def settle(self) -> None:
        """Commit, and hold no connection."""
        ...

    async def undo(self) -> None:
        """Undo what is not settled, and hold no connection."""
        ...

    def waited(self, microseconds: int) -> None:
        """Count time spent on the outside."""
        ...
