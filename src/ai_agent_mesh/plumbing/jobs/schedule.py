"""Jobs that are due now and then, fired once however many workers look."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.plumbing.jobs.lease import pause
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database, DatabaseAway, Tx

_log = get_logger("jobs.schedule")


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job: its name in the table, how often it is due, and what to do with the moment."""

    name: str
    every: timedelta
    fire: Callable[[datetime], Awaitable[object]]


class Schedules:
    """Fires each job when it is due, on whichever worker claims it first."""

    def __init__(
        self, database: Database, clock: Clock, jobs: Sequence[Scheduled], worker_id: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = tuple(jobs)
        self._worker_id = worker_id

    async def keep(self, stop: asyncio.Event, look_every: timedelta = timedelta(seconds=1)) -> None:
        """Fire what is due until `stop`; a job that takes long keeps no other waiting."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._keep(job, stop, look_every), name=job.name)

    async def fire_due(self) -> list[str]:
        """Fire every job that is due now; return the names of those that this worker fired.

        A job that fails is logged and comes again at its next turn: jobs are safe to run twice.
        """
        fired = await asyncio.gather(*[self._turn(job) for job in self._jobs])
        return [job.name for job, was in zip(self._jobs, fired, strict=True) if was]

    async def _keep(self, job: Scheduled, stop: asyncio.Event, look_every: timedelta) -> None:
        while not stop.is_set():
            try:
                await self._turn(job)
            except DatabaseAway:
                _log.warning("schedules.database_away", job=job.name)
            await pause(stop, look_every.total_seconds())

    async def _turn(self, job: Scheduled) -> bool:
        now = self._clock.now()
        if not await self._claim(job, now):
            return False
        try:
            await job.fire(now)
        except Exception:  # noqa: BLE001 - what breaks now comes again at its next turn
            _log.exception("schedules.job_failed", job=job.name)
        return True

    async def _claim(self, job: Scheduled, now: datetime) -> bool:
        async with self._database.transaction() as tx:
            return bool(
                await tx.execute(
                    "INSERT INTO scheduled_job AS j (name, due_at, fired_at, fired_by)"
                    " VALUES ($1, $2::timestamptz + $3, $2, $4)"
                    " ON CONFLICT (name) DO UPDATE SET due_at = $2 + $3, fired_at = $2,"
                    " fired_by = $4 WHERE j.due_at <= $2",
                    job.name,
                    now,
                    job.every,
                    self._worker_id,
                )
            )


async def overdue(tx: Tx, before: datetime) -> list[tuple[str, datetime]]:
    """Return the jobs that were due before a moment, and since when; of any role that reads all."""
    rows = await tx.fetch(
        "SELECT name, due_at FROM scheduled_job WHERE due_at < $1 ORDER BY due_at", before
    )
    return [(row["name"], row["due_at"]) for row in rows]
