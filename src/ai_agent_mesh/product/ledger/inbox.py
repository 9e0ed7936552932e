"""Makes entries durable: each one inside its change's transaction, or many in one insert."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

from ai_agent_mesh.evidence.entry import Entry, Receipt
from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres import Database, DatabaseAway, OutcomeUnknown, Tx
from ai_agent_mesh.product.ledger.facts import LedgerUnavailable

# A retry after a lost answer may bring an entry a second time; it is the same entry.
_APPEND = """
INSERT INTO ledger_inbox (id, tenant_id, at, bytes)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])
ON CONFLICT DO NOTHING
"""
_INSERT = "INSERT INTO ledger_inbox (id, tenant_id, at, bytes) VALUES ($1, $2, $3, $4)"

_REMOVE = "DELETE FROM ledger_inbox WHERE id = $1 AND digest = $2"
_NUMBERED = "SELECT EXISTS (SELECT FROM ledger_entry WHERE id = $1 AND digest = $2)"

#: A database that left with a commit in hand is asked again so often what became of it.
_AGAIN_S = 0.1

_Waiting = tuple[Entry, bytes, asyncio.Future[None]]


class Inbox:
    """Collects entries that come at the same time and inserts them together.

    The next batch starts as soon as the last one has finished: a lone request waits for one
    commit, and a busy server writes large batches. `ledger` is a pool of the role mesh_ledger.
    """

    def __init__(
        self,
        ledger: Database,
        *,
        batch: int = 1_000,
        bound: int = 20_000,
        patience: timedelta = timedelta(seconds=10),
    ) -> None:
        self._ledger = ledger
        self._batch = batch
        self._bound = bound
        self._patience_s = patience.total_seconds()
        self._waiting: deque[_Waiting] = deque()
        self._work = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None
        self._doubtful: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to write."""
        self._closing = False
        self._writer = asyncio.create_task(self._write(), name="ledger-inbox")

    async def stop(self) -> None:
        """Write what is waiting, then end; entries that come later are refused."""
        self._closing = True
        self._work.set()
        if self._writer is not None:
            await self._writer
            await asyncio.gather(*self._doubtful)
            self._writer = None

    @property
    def backlog(self) -> int:
        """Return how many entries wait for the next insert."""
        return len(self._waiting)

    async def append(self, entry: Entry) -> Receipt:
        """Return the entry's receipt once it is durable.

        Raises:
            LedgerUnavailable: the database did not take it, too many entries wait already, or the
                inbox is stopped. It may be durable all the same where the database took it and
                then stayed away; coming again with the same entry is safe, and another one under
                its id stands beside it.
        """
        if self._closing or self._writer is None:
            raise LedgerUnavailable(reason="it is stopped")
        if len(self._waiting) >= self._bound:
            raise LedgerUnavailable(reason=f"{self._bound} entries wait already")
        canonical = entry.canonical
        durable = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, canonical, durable))
        self._work.set()
        await durable
        return Receipt.of(entry.id, canonical)

    @staticmethod
    async def insert(tx: Tx, entry: Entry) -> Receipt:
        """Add the entry to a tenant's own transaction: it becomes durable with the change.

        Raises:
            ValueError: the entry is not of the transaction's tenant.
        """
        if entry.tenant != tx.tenant_id:
            raise ValueError(f"an entry of {entry.tenant} in a transaction of {tx.tenant_id}")
        canonical = entry.canonical
        await tx.execute(_INSERT, entry.id, entry.tenant, entry.at, canonical)
        return Receipt.of(entry.id, canonical)

    async def learn(self, entry: Entry) -> bool:
        """Find out whether exactly this entry is kept, once its commit was not confirmed.

        A commit that is still under way is waited for, and so is a database that is away.

        Raises:
            LedgerUnavailable: the database did not come back in time; nobody knows.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    with suppress(DatabaseAway):
                        return await self._holds(entry)
                    await asyncio.sleep(_AGAIN_S)
        except TimeoutError as error:
            raise _refusal(error) from error

    async def _holds(self, entry: Entry) -> bool:
        canonical = entry.canonical
        async with self._ledger.transaction() as tx:
            # A second row of the same key waits for the transaction that the first one is in.
            if not await append(tx, [(entry, canonical)]):
                return True
            digest = sha256(canonical).digest()
            await tx.execute(_REMOVE, entry.id, digest)
            return bool(await tx.fetchval(_NUMBERED, entry.id, digest))

    async def _write(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._work.clear()
                await self._work.wait()
                continue
            size = min(len(self._waiting), self._batch)
            await self._settle([self._waiting.popleft() for _ in range(size)])

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._append(batch)
        except OutcomeUnknown:
            # Meanwhile the next batch goes its way: what is refused now must not wait for this.
            asking = asyncio.create_task(self._append_for_sure(batch), name="ledger-doubt")
            self._doubtful.add(asking)
            asking.add_done_callback(self._doubtful.discard)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if isinstance(error, TimeoutError):  # those behind have waited too
                batch = [*batch, *self._waiting]
                self._waiting.clear()
            _tell(batch, error)
        else:
            _tell(batch)

    async def _append_for_sure(self, batch: Sequence[_Waiting]) -> None:
        """Append again what may be there already, until the database says that it is."""
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    with suppress(DatabaseAway):
                        await self._append(batch)
                        break
                    await asyncio.sleep(_AGAIN_S)
        except Exception as error:  # noqa: BLE001 - as above
            _tell(batch, error)
        else:
            _tell(batch)

    async def _append(self, batch: Sequence[_Waiting]) -> None:
        await append(self._ledger, [(entry, canonical) for entry, canonical, _ in batch])


def _tell(batch: Sequence[_Waiting], cause: Exception | None = None) -> None:
    for _, _, durable in batch:
        if durable.done():  # its request was cancelled
            continue
        if cause is None:
            durable.set_result(None)
        else:
            durable.set_exception(_refusal(cause))


def _refusal(cause: Exception) -> LedgerUnavailable:
    away = isinstance(cause, (Unavailable, TimeoutError))
    refusal = LedgerUnavailable(
        reason="its database does not answer" if away else f"its database refused ({cause})"
    )
    refusal.__cause__ = cause
    return refusal


async def append(ledger: Database | Tx, batch: Sequence[tuple[Entry, bytes]]) -> int:
    """Insert entries with their bytes under the role mesh_ledger; return how many were new."""
    return await ledger.execute(
        _APPEND,
        [entry.id for entry, _ in batch],
        [entry.tenant for entry, _ in batch],
        [entry.at for entry, _ in batch],
        [canonical for _, canonical in batch],
    )
