"""Gives every entry its numbers, adds it up, and signs: one holder at a time, behind a fence.

Any process may run a sequencer; the one that holds the lease works and the others wait for it to
run out. The lease is a row with an epoch, and every batch's transaction first locks that row *at
its own epoch*: a holder that was paused and wakes after another has taken over finds no such row
and writes nothing. The database's clock alone judges the lease.
"""

import asyncio
import os
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic

import msgspec
import structlog

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.rollup import Tally, Thresholds, judged, thresholds
from ai_agent_mesh.evidence.tree import leaf_data, leaf_hash, root
from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Conflict, Unavailable
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger.store import Head, Numbered, SequencerStore, Taken

_UNREADABLE = "unreadable"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
#: The shares of the time within which entries are to be numbered that pass between two looks while
#: nothing comes, and after a batch: a small one costs hardly less than a large one, so calls that
#: come one after the other are taken by fewer, larger ones.
_LOOKS_AFTER = 0.2
RESTS_FOR = 0.4

log = structlog.get_logger(__name__)


class Fenced(Conflict):
    """Another sequencer has taken over after epoch {epoch}."""


class Sequencer:
    """Moves entries from the inbox into the ledger. `ledger` is a pool of the role mesh_ledger."""

    def __init__(
        self,
        ledger: Database,
        signer: Signer,
        playbook: Playbook,
        clock: Clock,
        *,
        # A batch is prepared without a pause: 500 entries hold the event loop some 7 ms.
        batch: int = 500,
        lease: timedelta = timedelta(seconds=3),
    ) -> None:
        self._ledger = ledger
        self._signer = signer
        self._playbook = playbook
        self._digest = playbook.digest
        self._thresholds = thresholds(playbook)
        self._clock = clock
        self._batch = batch
        self._lease = lease
        self._within_s = playbook.measurement.sequenced_within.total_seconds()
        #: By which thresholds the calls of a month count; kept as long as this one holds the lease.
        self._months: dict[Month, Thresholds] = {}
        #: Why this one cannot number now, or None.
        self.trouble: str | None = None
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Number until `stop` is set; wait for the lease, and again after losing it."""
        while not stop.is_set():
            try:
                epoch = await self.take_over()
                if epoch is not None:
                    await self._hold(epoch, stop)
                self.trouble = None
            except Fenced as fact:
                log.warning("ledger.fenced", reason=fact.detail)
            except Unavailable as fact:
                self.trouble = fact.detail
                log.warning("ledger.sequencer_waits", reason=fact.detail)
            except Exception:  # a bug in one batch must be loud, and must not end the evidence
                log.exception("ledger.sequencer_failed")
            await _pause(stop, self._lease.total_seconds() / 3)

    async def take_over(self) -> int | None:
        """Return a new epoch to number under, or None while another holder's lease lasts."""
        async with self._ledger.transaction() as tx:
            store = SequencerStore(tx)
            epoch = await store.take_over(self._holder, self._lease)
            if epoch is not None:
                at = self._clock.now()
                await store.introduce(self._signer, self._playbook, at)
                self._months.clear()
        return epoch

    async def number(self, epoch: int) -> int:
        """Number one batch in one transaction and return how many rows left the inbox.

        Raises:
            Fenced: this epoch is over; nothing was written.
        """
        async with self._ledger.transaction() as tx:
            store = SequencerStore(tx)
            head = await store.lock(epoch, self._lease)
            if head is None:
                raise Fenced(epoch=epoch)
            taken = await store.take(self._batch)
            fresh = await _fresh(store, taken)
            if fresh:
                await self._add(store, epoch, head, fresh)
        return len(taken)

    async def _add(self, store: SequencerStore, epoch: int, head: Head, fresh: list[Taken]) -> None:
        numbers = await store.numbers(list({row.tenant_id for row in fresh}))
        calls = [judged(row.raw) for row in fresh]
        # Moments never go back, whatever a clock says: a month has one last batch.
        at = max(self._clock.now(), head.at or _EARLIEST)
        months = [None if call is None else call.month for call in calls]
        promised = await self._promised(store, months, at)
        tally = Tally()
        entries: list[Numbered] = []
        judging = zip(fresh, calls, months, strict=True)
        for seq, (row, call, month) in enumerate(judging, head.seq + 1):
            number = numbers[row.tenant_id] = numbers.get(row.tenant_id, 0) + 1
            if call is not None and month is not None:
                tally.add(row.tenant_id, call, promised[month])
            kind = _UNREADABLE if call is None else call.kind
            entries.append(
                Numbered(seq, row.tenant_id, number, row.id, row.at, kind, row.digest, row.raw)
            )
        batch = self._signed(head, entries, at)
        await store.add(batch, entries, numbers)
        await store.add_up(tally)
        await store.advance(epoch, Head(batch.last_seq, batch.batch, batch.link, at), self._lease)

    async def _promised(
        self, store: SequencerStore, months: Iterable[Month | None], at: datetime
    ) -> Mapping[Month, Thresholds]:
        """Return the thresholds of the playbooks that judge the months of a batch's calls."""
        asked = {month for month in months if month is not None}
        for month in asked - self._months.keys():
            # A month that begins later, by a clock that is ahead, has this very batch before it.
            if month.since <= at:
                digest = await store.governing(month) or self._digest
                self._months[month] = (await store.promised())[digest]
        return {month: self._months.get(month, self._thresholds) for month in asked}

    def _signed(self, head: Head, entries: list[Numbered], at: datetime) -> Batch:
        leaves = (leaf_hash(leaf_data(row.seq, row.number, row.digest)) for row in entries)
        batch = Batch(
            batch=head.batch + 1,
            first_seq=entries[0].seq,
            last_seq=entries[-1].seq,
            root=root(leaves),
            previous=head.previous,
            playbook=self._digest,
            at=at,
            key_id=self._signer.key_id,
        )
        return msgspec.structs.replace(batch, signature=self._signer.sign(batch.statement))

    async def _hold(self, epoch: int, stop: asyncio.Event) -> None:
        log.info("ledger.sequencer_holds", epoch=epoch)
        prolong_at = 0.0
        while not stop.is_set():
            share = _LOOKS_AFTER
            if await self._waiting():
                while await self.number(epoch) == self._batch and not stop.is_set():
                    pass
                share = RESTS_FOR
            elif monotonic() >= prolong_at:
                await self._prolong(epoch)
                prolong_at = monotonic() + self._lease.total_seconds() / 3
            self.trouble = None
            await _pause(stop, self._within_s * share)
        async with self._ledger.transaction() as tx:
            await SequencerStore(tx).release(epoch)

    async def _waiting(self) -> bool:
        row = await self._ledger.fetchrow("SELECT FROM ledger_inbox LIMIT 1")
        return row is not None

    async def _prolong(self, epoch: int) -> None:
        async with self._ledger.transaction() as tx:
            if not await SequencerStore(tx).renew(epoch, self._lease):
                raise Fenced(epoch=epoch)


async def _fresh(store: SequencerStore, taken: list[Taken]) -> list[Taken]:
    """Leave out what is numbered already: an entry that came twice because an answer was lost."""
    known = await store.known([row.id for row in taken]) if taken else set()
    if known:
        log.warning("ledger.repeated", ids=sorted(one for one, _ in known))
    return [row for row in taken if (row.id, row.digest) not in known]


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
