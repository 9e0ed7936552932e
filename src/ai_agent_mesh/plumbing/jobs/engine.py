"""DBOS, set up as this house wants it: its own role, JSON, one version, and ids for payload.

What is queued is a segment of a run: tenant, run and number. `mesh_jobs.enqueue` puts one into the
queue inside the caller's own transaction; a worker's engine takes it out exactly once, and what a
dead worker had taken goes back by `requeue`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from ai_agent_mesh.plumbing.jobs.links import Links
from ai_agent_mesh.plumbing.postgres import DatabaseAway, Tx

#: One version for as long as the meaning of a segment's three arguments stays: the interpreter
#: replays its own journal, so newer code may finish what older code began.
VERSION = "segments-1"
WORKFLOW = "run_segment"
QUEUE = "runs"
NAME = "ai-agent-mesh"

Segment = Callable[[str, str, int], Awaitable[None]]


class Engine:
    """One process's DBOS: takes queued segments and runs them on this event loop."""

    def __init__(self, url: str, worker_id: str, *, at_once: int = 32, poll_s: float = 0.1) -> None:
        # A busy machine takes seconds to import it: done here, before a lease begins to run.
        import dbos  # noqa: F401

        self._url = url
        self._worker_id = worker_id
        self._at_once = at_once
        self._poll_s = poll_s
        self._link: Any = None
        self._client: Any = None  # dbos is imported late: half a second that `mesh --help` saves

    async def launch(self, segment: Segment) -> None:
        """Start taking segments; call it on the event loop that they shall run on."""
        from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer

        links = Links(self._url)
        DBOS(
            config={
                "name": NAME,
                "system_database_url": self._url,
                "db_engine_kwargs": {"creator": links.wait},
                "sys_db_pool_size": 4,
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
            await segment(tenant_id, run_id, number)

        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE, worker_concurrency=self._at_once, polling_interval_sec=self._poll_s
        )
        self._link = links.pool()
        self._client = DBOSClient(
            system_database_engine=self._link,
            retry_connection_errors=False,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
        )

    async def requeue(self, worker_ids: Sequence[str]) -> int:
        """Put what these dead workers had taken back into the queue; return how much it was."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(self._requeue, list(worker_ids))
        except SQLAlchemyError as error:
            raise DatabaseAway from error

    def _requeue(self, worker_ids: list[str]) -> int:
        held = self._client.list_workflows(
            status="PENDING", executor_id=worker_ids, load_input=False, load_output=False
        )
        ids = [status.workflow_id for status in held]
        if ids:
            self._client.resume_workflows(ids, queue_name=QUEUE)
        return len(ids)

    async def forget(self, before: datetime, most: int = 1_000) -> int:
        """Drop segments that were done before a moment; the runs' own rows stay. Return how many.

        Raises:
            DatabaseAway: the queue cannot be reached now.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(self._forget, before, most)
        except SQLAlchemyError as error:
            raise DatabaseAway from error

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
