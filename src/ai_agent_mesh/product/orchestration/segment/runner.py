"""Runs one segment: claims it, walks the definition, and writes how it came out."""

import asyncio
from typing import Any
from weakref import WeakSet

import asyncpg

from ai_agent_mesh.plumbing.jobs import Fenced, pause
from ai_agent_mesh.plumbing.observe import Trace, bound, get_logger
from ai_agent_mesh.plumbing.postgres import DatabaseAway, Tx
from ai_agent_mesh.product.orchestration.definition import Definition, load_definition
from ai_agent_mesh.product.orchestration.errors import Raised, raised
from ai_agent_mesh.product.orchestration.interpreter import Facts, Interpreter
from ai_agent_mesh.product.orchestration.ports import Parked
from ai_agent_mesh.product.orchestration.segment.given import Equipment, RunFacts
from ai_agent_mesh.product.orchestration.segment.journal import CLAIM, Journal, Stopped
from ai_agent_mesh.product.orchestration.segment.record import run_span
from ai_agent_mesh.product.orchestration.segment.steps import Steps
from ai_agent_mesh.product.telemetry import Recorder

Json = Any  # what JSON can say

_log = get_logger("orchestration.segment")

_FINISH = """
UPDATE run SET state = $2, output = $3, error = $4, fault_key = $5, ended_at = $6
WHERE id = $1
"""
_CANCELLED = "SELECT id FROM run WHERE id = ANY($1::text[]) AND state = 'cancelled'"
AGAIN_S = 1.0
DEFINITIONS_KEPT = 256


class Runner:
    """Runs the segments that this process takes out of the queue."""

    def __init__(self, equipment: Equipment) -> None:
        self._with = equipment
        self._active: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._cut = WeakSet[asyncio.Task[None]]()
        self._settling = False
        self._definitions: dict[tuple[str, str, str], Definition] = {}

    @property
    def active(self) -> int:
        """Return how many segments are under way."""
        return len(self._active)

    async def run(self, tenant_id: str, run_id: str, segment: int) -> None:
        """Run a segment to its end; a database that is away is waited for.

        It returns only when the segment's outcome stands. One that was fenced, dropped or came too
        late never returns, so that nobody books it as done: it is somebody else's by then.
        """
        if self._settling:
            await _forever()
        # One that comes a second time goes along with the first: both are this worker's.
        walk = self._active.get((run_id, segment))
        if walk is None:
            walk = self._begin(tenant_id, run_id, segment)
        await asyncio.wait([walk])
        if walk.cancelled():
            if walk not in self._cut:
                await _forever()
            return
        failure = walk.exception()
        if isinstance(failure, Fenced):
            await _forever()
        if failure is not None:
            raise failure

    def _begin(self, tenant_id: str, run_id: str, segment: int) -> asyncio.Task[None]:
        walk = asyncio.create_task(self._walk(tenant_id, run_id, segment), name=run_id)
        self._active[run_id, segment] = walk
        walk.add_done_callback(lambda _: self._active.pop((run_id, segment), None))
        return walk

    async def settle(self, patience_s: float) -> None:
        """Begin nothing more, and let what is under way go on for a while."""
        self._settling = True
        if self._active:
            await asyncio.wait(list(self._active.values()), timeout=patience_s)

    async def drop(self) -> None:
        """Cut off what is still under way; the journal knows how far it came."""
        self._settling = True
        walks = list(self._active.values())
        for walk in walks:
            walk.cancel()
        if walks:
            await asyncio.wait(walks, timeout=5)

    async def watch(self, stop: asyncio.Event, every_s: float = 0.5) -> None:
        """Cut off what this process does for runs that were cancelled meanwhile."""
        while not stop.is_set():
            if self._active:
                try:
                    await self._cut_off()
                except DatabaseAway:
                    _log.warning("watch.database_away")
            await pause(stop, every_s)

    async def _cut_off(self) -> None:
        async with self._with.operations.transaction() as tx:
            rows = await tx.fetch(_CANCELLED, [run_id for run_id, _ in self._active])
        cancelled = {row["id"] for row in rows}
        for (run_id, _), walk in list(self._active.items()):
            if run_id in cancelled and not walk.done():
                self._cut.add(walk)
                walk.cancel()

    async def _walk(self, tenant_id: str, run_id: str, segment: int) -> None:
        while True:
            try:
                return await self._once(tenant_id, run_id, segment)
            except (Parked, Stopped):
                return None
            except DatabaseAway:
                _log.warning("segment.database_away", run=run_id)
                await asyncio.sleep(AGAIN_S)

    async def _once(self, tenant_id: str, run_id: str, segment: int) -> None:
        journal = Journal(run_id, segment, self._with.lease.worker_id)
        async with self._with.app.tenant(tenant_id) as tx:
            run = await self._claim(tx, run_id, segment)
            if run is None:
                return
            await journal.load(tx)
        steps = Steps(self._with, run, journal)
        facts = Facts(run.id, run.input, run.started_at)
        walk = Interpreter(run.definition, facts, steps, self._with.expressions)
        with bound(run.trace):
            try:
                output = await walk.run()
            except Raised as error:
                await self._finish(run, journal, error=error)
            except (Parked, Stopped, Fenced, DatabaseAway):
                raise
            except Exception:  # noqa: BLE001 - whatever it is, the run must come to an end
                # A bug of ours: loud here, opaque to the tenant, and the run is not left hanging.
                _log.exception("segment.broke", run=run.id)
                failure = raised("runtime", "The platform failed to go on with this run.", "")
                await self._finish(run, journal, error=failure)
            else:
                await self._finish(run, journal, output=output)

    async def _claim(self, tx: Tx, run_id: str, segment: int) -> RunFacts | None:
        lease = self._with.lease
        await lease.check(tx)
        row = await tx.fetchrow(CLAIM, run_id, segment, lease.worker_id, self._with.clock.now())
        if row is None:
            return None  # cancelled, or woken for another segment
        about = ("workflow", "version", "input", "actor", "role", "tier", "created_at")
        return RunFacts(
            id=run_id,
            tenant_id=tx.tenant_id,
            segment=segment,
            definition=self._definition(tx.tenant_id, row),
            trace=Trace(row["trace_id"], row["span_id"], request_id=row["request_id"]),
            started_at=row["started_at"],
            since=row["since"],
            **{name: row[name] for name in about},
        )

    def _definition(self, tenant_id: str, row: asyncpg.Record) -> Definition:
        key = (tenant_id, row["workflow"], row["version"])
        known = self._definitions.get(key)
        if known is None:
            if len(self._definitions) >= DEFINITIONS_KEPT:
                self._definitions.pop(next(iter(self._definitions)))
            known = self._definitions[key] = load_definition(row["definition"])
        return known

    async def _finish(
        self, run: RunFacts, journal: Journal, *, output: Json = None, error: Raised | None = None
    ) -> None:
        now = self._with.clock.now()
        state = "completed" if error is None else "faulted"
        async with self._with.app.tenant(run.tenant_id) as tx:
            await self._with.lease.check(tx)
            await journal.hold(tx)
            await journal.flush(tx)
            problem = None if error is None else error.error
            key = None if error is None else error.key
            await tx.execute(_FINISH, run.id, state, output, problem, key, now)
            await Recorder(tx).record(run_span(run, now, problem))


async def _forever() -> None:
    await asyncio.Event().wait()
