"""DBOS, set up as this house wants it: its own role, JSON, one version, and ids for payload.

What is queued is a segment of a run: tenant, run and number. `mesh_jobs.enqueue` puts one into the
queue inside the caller's own transaction; a worker's engine takes it out exactly once, and what a
dead worker had taken goes back by `requeue`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ai_agent_mesh.plumbing.jobs.lease import pause
from ai_agent_mesh.plumbing.jobs.links import Links
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import DatabaseAway, Tx

#: One version for as long as the meaning of a segment's three arguments stays: the interpreter
#: replays its own journal, so newer code may finish what older code began.
VERSION = "segments-1"
WORKFLOW = "run_segment"
QUEUE = "runs"
NAME = "ai-agent-mesh"

_log = get_logger("jobs.engine")

T = TypeVar("T")
Segment = Callable[[str, str, int], Awaitable[None]]


class Engine:
    """One process's DBOS: takes queued segments and runs them on this event loop.

    A process that is stopped in a transaction with the queue holds what it locked for the length of
    a `lease` at the most: then the server hangs up on it.
    """

    def __init__(
        self,
        url: str,
        worker_id: str,
        *,
        lease: timedelta = timedelta(seconds=10),
        at_once: int = 32,
        poll_s: float = 0.1,
    ) -> None:
        # A busy machine takes seconds to import it: done here, before a lease begins to run.
        import dbos  # noqa: F401

        self._url = url
        self._lease = lease
        self._worker_id = worker_id
        self._at_once = at_once
        self._poll_s = poll_s
        self._running: set[str] = set()
        self._stray: set[str] = set()
        self._link: Any = None
        self._client: Any = None  # dbos is imported late: half a second that `mesh --help` saves

    async def launch(self, segment: Segment) -> None:
        """Start taking segments; call it on the event loop that they shall run on."""
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        links = Links(self._url, idle=self._lease)
        DBOS(
            config={
                "name": NAME,
                "system_database_url": self._url,
                "db_engine_kwargs": {"creator": links.wait},
                "sys_db_pool_size": 4,
                "sys_db_idle_transaction_timeout_sec": self._lease.total_seconds(),
                "application_version": VERSION,
                "executor_id": self._worker_id,
                "serializer": DBOSPortableJSONSerializer(),
                "run_migrations": False,
                "use_listen_notify": False,
                "enable_otlp": False,
                "log_level": "WARNING",
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        async def run_segment(tenant_id: str, run_id: str, number: int) -> None:
            workflow_id = str(DBOS.workflow_id)
            self._running.add(workflow_id)
            try:
                await segment(tenant_id, run_id, number)
            finally:
                self._running.discard(workflow_id)

        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE, worker_concurrency=self._at_once, polling_interval_sec=self._poll_s
        )
        self._link = links.pool()
        self._client = DBOSClient(
            system_database_engine=self._link,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            retry_connection_errors=False,  # those who ask come again by themselves
        )

    async def keep(self, stop: asyncio.Event, every: timedelta) -> None:
        """Look for what this worker claimed and does not run, until `stop`."""
        while not stop.is_set():
            try:
                count = await self.reclaim()
                if count:
                    _log.warning("queue.reclaimed", worker=self._worker_id, segments=count)
            except DatabaseAway:
                _log.warning("queue.database_away")
            await pause(stop, every.total_seconds())

    async def reclaim(self) -> int:
        """Put back what this worker claimed and does not run; return how much it was.

        A claim whose confirmation was lost with its connection is nobody's work: the database
        thinks that this worker has it, and this worker never heard of it. What looks so twice in a
        row goes back into the queue.

        Raises:
            DatabaseAway: the queue cannot be reached now.
        """
        claimed = await self._asked(self._claimed_by, [self._worker_id])
        stray = set(claimed) - self._running
        lost, self._stray = stray & self._stray, stray
        if lost:
            await self._asked(self._put_back, sorted(lost))
            self._stray -= lost
        return len(lost)

    async def requeue(self, worker_ids: Sequence[str]) -> int:
        """Put what these dead workers had taken back into the queue; return how much it was.

        Raises:
            DatabaseAway: the queue cannot be reached now.
        """
        return await self._asked(self._requeue, list(worker_ids))

    def _requeue(self, worker_ids: list[str]) -> int:
        return self._put_back(self._claimed_by(worker_ids))

    def _claimed_by(self, worker_ids: list[str]) -> list[str]:
        held = self._client.list_workflows(
            status="PENDING", executor_id=worker_ids, load_input=False, load_output=False
        )
        return [status.workflow_id for status in held]

    def _put_back(self, workflow_ids: list[str]) -> int:
        if workflow_ids:
            self._client.resume_workflows(workflow_ids, queue_name=QUEUE)
        return len(workflow_ids)

    async def _asked(self, ask: Callable[..., T], *args: object) -> T:
        """Ask the queue in a thread of its own: DBOS blocks."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(ask, *args)
        except SQLAlchemyError as error:
            raise DatabaseAway from error

    async def forget(self, before: datetime, most: int = 1_000) -> int:
        """Drop segments that were done before a moment; the runs' own rows stay. Return how many.

        Raises:
            DatabaseAway: the queue cannot be reached now.
        """
        return await self._asked(self._forget, before, most)

    def _forget(self, before: datetime, most: int) -> int:
        done = self._client.list_workflows(
            status=["SUCCESS", "ERROR"],
            completed_before=before.isoformat(),
            limit=most,
            load_input=False,
            load_output=False,
        )
        if done:
            self._client.delete_workflows([status.workflow_id for status in done])
        return len(done)

    async def close(self) -> None:
        """Stop taking segments; those under way stay as they are."""
        from dbos import DBOS

        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)
            await asyncio.to_thread(self._link.dispose)  # the client leaves a given one open
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        # DBOS lent the loop its own threads, and has taken them away.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


async def enqueue(tx: Tx, run_id: str, segment: int, due_at: datetime | None = None) -> None:
    """Queue a segment of a run in the caller's own transaction, for now or for `due_at`."""
    await tx.execute(
        "SELECT mesh_jobs.enqueue($1, $2, $3, $4, $5)",
        tx.tenant_id,
        run_id,
        segment,
        VERSION,
        due_at,
    )
