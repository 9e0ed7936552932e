"""A unit of work, of a request or a run's task: its transaction, its waiting, and its fault."""

from collections.abc import Awaitable, Callable

from ai_agent_mesh.plumbing.http.stream import Stream
from ai_agent_mesh.plumbing.postgres import Database, Tx


class Unit:
    """What is done to the database as one; a request's is ended by the door, with its ledger entry.

    Whoever does it calls `begin` for its tenant's transaction, and `settle` before it waits on
    anything outside, so that no connection is held meanwhile; `undo` instead, where it has only
    read.
    """

    __slots__ = (
        "_database",
        "_reading",
        "_tenant_id",
        "_tx",
        "fault",
        "first",
        "object",
        "stream",
        "trace_id",
        "waited_us",
    )

    def __init__(
        self, database: Database, tenant_id: str, trace_id: str = "", *, reading: bool = False
    ) -> None:
        """A `reading` unit changes nothing, and its statements stand alone."""
        self._database = database
        self._tenant_id = tenant_id
        self._reading = reading
        self._tx: Tx | None = None
        #: What each transaction begins with: the claim of an Idempotency-Key, a worker's lease.
        #: Raising undoes the transaction.
        self.first: Callable[[Tx], Awaitable[None]] | None = None
        #: W3C trace id of the request, 32 hex digits.
        self.trace_id = trace_id
        #: An explicit fault (none, client, quota, upstream, platform) wins over the status.
        self.fault: str | None = None
        #: The id of what the request is about.
        self.object: str | None = None
        #: What is answered, where that is not held whole: the door sends it after the head.
        self.stream: Stream | None = None
        #: Microseconds spent waiting on an agent or an upstream: not the platform's own.
        self.waited_us = 0

    @property
    def tx(self) -> Tx | None:
        """Return the open transaction, if there is one."""
        return self._tx

    async def begin(self) -> Tx:
        """Return the open transaction, opened on first use."""
        if self._tx is None:
            lend = self._database.read if self._reading else self._database.begin
            tx = await lend(self._tenant_id)
            if self.first is not None:
                try:
                    await self.first(tx)
                except BaseException:
                    await self._database.rollback(tx)
                    raise
            self._tx = tx
        return self._tx

    async def settle(self) -> None:
        """Commit what was done so far and give the connection back; `begin` opens the next part."""
        tx, self._tx = self._tx, None
        if tx is not None:
            await self._database.commit(tx)

    async def undo(self) -> None:
        """Undo what is not settled."""
        tx, self._tx = self._tx, None
        if tx is not None:
            await self._database.rollback(tx)

    def waited(self, microseconds: int) -> None:
        """Count time that was spent waiting on something outside."""
        self.waited_us += microseconds
