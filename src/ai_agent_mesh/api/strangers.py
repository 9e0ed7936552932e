"""Callers whom nobody knows: how often each address was refused, and what that costs the house.

Up to the playbook's figure each refusal has an entry of its own. Past it, one entry that says how
many stands for the rest of its second, so a flood fills neither the ledger nor the database: its
answers carry no receipt. Each process counts for itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from ai_agent_mesh.api.facts import TooManyStrangers
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.product.ledger import Entry

#: Addresses are told apart up to so many in a second; all others are counted as one.
_ADDRESSES = 10_000
#: So many look-ups of a crowded address may wait for their turn.
_QUEUE = 50

Record = Callable[[Entry], Awaitable[None]]


@dataclass(slots=True)
class _Crowd:
    """The refusals of one address in one span: how many, and the first past the limit."""

    refused: int = 0
    first: Entry | None = None


class Strangers:
    """Counts refusals by address, and lets the look-ups of crowded addresses pass one by one."""

    def __init__(self, playbook: Playbook, record: Record, look_ups: int) -> None:
        """`look_ups` keys may be looked up at once, by whomever; `record` books an entry."""
        rules = playbook.measurement.unknown_callers
        self._span_s = 1 / rules.counted_per_second
        self._limit = rules.refusals_per_second // rules.counted_per_second
        self._record = record
        self._present: dict[str, _Crowd] = {}
        self._past: dict[str, _Crowd] = {}
        self._turn: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._look_ups = asyncio.Semaphore(look_ups)
        self._narrow = asyncio.Semaphore(1)
        self._queued = 0

    def refused(self, entry: Entry) -> bool:
        """Count a refusal and tell whether its entry stands for itself alone."""
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_later(self._span_s, self._end)
        address = entry.client or ""
        if address not in self._present and len(self._present) >= _ADDRESSES:
            address = ""
        crowd = self._present.setdefault(address, _Crowd())
        crowd.refused += 1
        if crowd.refused <= self._limit:
            return True
        crowd.first = crowd.first or entry
        return False

    @asynccontextmanager
    async def look_up(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn to look up a key.

        Raises:
            TooManyStrangers: others of this address wait already.
        """
        if not self._crowded(address):
            async with self._look_ups:
                yield
            return
        if self._queued >= _QUEUE:
            raise TooManyStrangers(retry_after_s=1)
        self._queued += 1
        try:
            async with self._narrow, self._look_ups:
                yield
        finally:
            self._queued -= 1

    async def close(self) -> None:
        """Book what was counted so far."""
        if self._turn is not None:
            self._turn.cancel()
            self._end()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _crowded(self, address: str) -> bool:
        crowds = (self._present.get(address), self._past.get(address))
        return any(crowd is not None and crowd.refused >= self._limit for crowd in crowds)

    def _end(self) -> None:
        """Let one entry stand for each crowd, and begin the next span when somebody comes."""
        self._past, self._present, self._turn = self._present, {}, None
        for crowd in self._past.values():
            if crowd.first is not None:
                entry = _standing(crowd.first, crowd.refused - self._limit)
                task = asyncio.ensure_future(self._record(entry))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)


def _standing(first: Entry, count: int) -> Entry:
    """Return the entry that stands for `count` refusals like the first of them."""
    return msgspec.structs.replace(
        first,
        id=new_id("ent"),
        path=None,
        duration_us=0,
        latency_us=0,
        request_id=None,
        trace_id=None,
        detail={"count": str(count)},
    )
