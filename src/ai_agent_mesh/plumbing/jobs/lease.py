"""Which worker processes may act: each holds a lease, and what lapses is taken over by another.

A lease row is the fence. A step's transaction takes it FOR KEY SHARE together with its own writes;
ending a lease takes it FOR UPDATE. So once a lease is ended, nothing of that worker can commit any
more, however long it was stopped and whatever it still believes.
"""

import asyncio
import math
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database, DatabaseAway, Tx

_log = get_logger("jobs.lease")

#: Beats per lease: two may be missed before it lapses.
BEATS = 3

# Any number that no other advisory lock of the database has.
_SWEEP = 0x6D65_7368_0001

# A lapsed lease counts only where the one who looks has one that did not lapse.
_DEAD = """
SELECT worker_id FROM worker_lease WHERE ended_at IS NULL
  AND CASE WHEN $1::text IS NOT NULL THEN worker_id = $1
      ELSE lease_until < now() AND ($2::text IS NULL OR EXISTS (
        SELECT FROM worker_lease AS own WHERE own.worker_id = $2 AND own.lease_until >= now())) END
ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED
"""

Requeue = Callable[[Sequence[str]], Awaitable[int]]


class Fenced(Unavailable):
    """Worker {worker} lost its lease, and another has taken over what it did."""


class Lease:
    """This process's right to act, renewed until it is released or lost."""

    def __init__(
        self,
        database: Database,
        length: timedelta,
        worker_id: str | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._length = length
        self._monotonic = monotonic
        self._renewed_at = monotonic()
        self._late_at = -math.inf
        self.worker_id = worker_id or new_id("wrk")
        #: Set once the lease is gone for good; whoever runs the process should end it.
        self.lost = asyncio.Event()

    async def acquire(self) -> None:
        """Enter this worker, before it takes any work."""
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO worker_lease (worker_id, host, pid, lease_until)"
                " VALUES ($1, $2, $3, now() + $4)",
                self.worker_id,
                socket.gethostname(),
                os.getpid(),
                self._length,
            )
        self._renewed_at = self._monotonic()

    @property
    def judges(self) -> bool:
        """Tell whether others that have lapsed may be taken for dead.

        Who could not renew in time itself may have been cut off from the database together with
        all others; they are given the length of a lease to come back.
        """
        return self._monotonic() - self._late_at >= self._length.total_seconds()

    async def keep(self, stop: asyncio.Event) -> None:
        """Renew the lease three times in its length until `stop`, or until it is lost."""
        while not (stop.is_set() or self.lost.is_set()):
            try:
                await self.renew()
            except DatabaseAway:
                _log.warning("lease.unrenewed", worker=self.worker_id)
            await pause(stop, self._length.total_seconds() / BEATS)

    async def renew(self) -> None:
        """Prolong the lease by its length from now, unless it was ended: then it is lost."""
        async with self._database.transaction() as tx:
            held = await tx.execute(
                "UPDATE worker_lease SET lease_until = now() + $2"
                " WHERE worker_id = $1 AND ended_at IS NULL",
                self.worker_id,
                self._length,
            )
        now = self._monotonic()
        if now - self._renewed_at > self._length.total_seconds():
            self._late_at = now
        self._renewed_at = now
        if not held:
            self.lose()

    def lose(self) -> Fenced:
        """Note that the lease is gone; return the fact to raise."""
        self.lost.set()
        return Fenced(worker=self.worker_id)

    async def check(self, tx: Tx) -> None:
        """Bind a transaction to the lease: it commits only if the lease holds until then.

        A process that is stopped in the middle of such a transaction would keep others from ending
        its lease; the server hangs up on it after the length of the lease.

        Raises:
            Fenced: the lease was ended.
        """
        held = await tx.fetchval(
            "SELECT set_config('idle_in_transaction_session_timeout', $2, true)"
            " FROM worker_lease WHERE worker_id = $1 AND ended_at IS NULL FOR KEY SHARE",
            self.worker_id,
            f"{max(1, int(self._length.total_seconds() * 1000))}ms",
        )
        if held is None:
            raise self.lose()

    async def release(self, requeue: Requeue) -> None:
        """End the lease now and hand the work that is under way to whoever is there."""
        self.lost.set()
        await Reaper(self._database, requeue, length=self._length).take(self.worker_id)


class Reaper:
    """Finds workers whose lease has lapsed, ends it, and puts their work back into the queue.

    With a lease of its `own` it takes nobody for dead while that one has lapsed too. One that is
    stopped halfway must not keep the others from it: the server hangs up on it after half the
    `length` of a lease, and the next reaper does all of it again.
    """

    def __init__(
        self,
        database: Database,
        requeue: Requeue,
        own: Lease | None = None,
        *,
        length: timedelta = timedelta(seconds=10),
    ) -> None:
        self._database = database
        self._requeue = requeue
        self._own = own
        self._idle_ms = max(1_000, int(length.total_seconds() * 500))

    async def keep(self, stop: asyncio.Event, every: timedelta) -> None:
        """Look for lapsed leases until `stop`."""
        while not stop.is_set():
            try:
                while await self.take():
                    pass
                await self.sweep()
            except DatabaseAway:
                _log.warning("reaper.database_away")
            await pause(stop, every.total_seconds())

    async def take(self, worker_id: str | None = None) -> str | None:
        """End one lapsed lease (or the named one, lapsed or not); return whose, or None.

        The row stays locked until the work is back in the queue, so one reaper does it, and if
        that one dies halfway the next finds the lease unended and the rest of the work.
        """
        if worker_id is None and self._own is not None and not self._own.judges:
            return None
        async with self._database.transaction() as tx:
            await self._bound(tx)
            dead = await tx.fetchval(_DEAD, worker_id, self._own and self._own.worker_id)
            if dead is None:
                return None
            count = await self._requeue([dead])
            await tx.execute("UPDATE worker_lease SET ended_at = now() WHERE worker_id = $1", dead)
        _log.info("lease.ended", worker=dead, requeued=count)
        return str(dead)

    async def sweep(self) -> int:
        """Put back what a worker took after its lease had ended; return how much that was.

        A worker that is closing may still take something in its last moment.
        """
        async with self._database.transaction() as tx:
            await self._bound(tx)
            if not await tx.fetchval(f"SELECT pg_try_advisory_xact_lock({_SWEEP})"):
                return 0
            rows = await tx.fetch(
                "SELECT worker_id FROM worker_lease WHERE ended_at > now() - interval '1 hour'"
            )
            return await self._requeue([row["worker_id"] for row in rows]) if rows else 0

    async def _bound(self, tx: Tx) -> None:
        await tx.execute(f"SET LOCAL idle_in_transaction_session_timeout = {self._idle_ms}")


async def forget_leases(database: Database, before: datetime) -> int:
    """Drop the rows of leases that ended before a moment; return how many."""
    async with database.transaction() as tx:
        return await tx.execute("DELETE FROM worker_lease WHERE ended_at < $1", before)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for `stop`, at most this long."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
