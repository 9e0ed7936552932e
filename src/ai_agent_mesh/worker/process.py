"""One worker process: leases itself, runs segments, takes over from the dead, ends in order."""

import asyncio
import contextlib
import signal
import sys
from datetime import timedelta

from httpx import AsyncClient

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.http.outbound import guarded_client
from ai_agent_mesh.plumbing.jobs import Engine, Lease, Reaper, Schedules
from ai_agent_mesh.plumbing.observe import configure, get_logger
from ai_agent_mesh.plumbing.processes import leave_within
from ai_agent_mesh.product.orchestration import Equipment, Runner
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh
from ai_agent_mesh.worker.scheduled import jobs_of

_log = get_logger("worker")

#: How long a stopping worker lets its steps end before it hands them over.
GRACE_S = 3.0
#: The longest that an HTTP call of a task may take.
LONGEST_S = 300.0
LOST = 75  # EX_TEMPFAIL: start me again
#: A worker that was told to end has gone after so long, handed over or not: its lease lapses.
LEAVE_S = 10.0


def main(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT; exit 75 when its lease was lost."""
    configure(settings.log_level)
    sys.exit(asyncio.run(_main(settings)))


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        leave_within(LEAVE_S, LOST)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    async with Mesh.open(settings) as mesh:
        return 0 if await serve(mesh, stop) else LOST


async def serve(mesh: Mesh, stop: asyncio.Event) -> bool:
    """Work until `stop`; return False when the lease was lost and the process must not go on."""
    length = timedelta(seconds=mesh.settings.lease_s)
    lease = Lease(mesh.app, length)
    engine = Engine(mesh.login_url, lease.worker_id, lease=length)
    http = guarded_client(
        mesh.outbound, body_limit_bytes=mesh.playbook.limits.request_bytes, total_s=LONGEST_S
    )
    runner = Runner(_equipment(mesh, lease, http))
    ending = asyncio.Event()
    watching = asyncio.create_task(_until(stop, lease.lost, ending))
    await lease.acquire()
    await engine.launch(runner.run)
    _log.info("worker ready", worker=lease.worker_id)
    reaper = Reaper(mesh.app, engine.requeue, lease, length=length)
    schedules = Schedules(mesh.app, mesh.clock, jobs_of(mesh, engine), lease.worker_id)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.keep(ending))
            group.create_task(reaper.keep(ending, min(length / 4, timedelta(seconds=2))))
            group.create_task(engine.keep(ending, length / 2))
            group.create_task(schedules.keep(ending))
            group.create_task(runner.watch(ending))
    finally:
        ending.set()
        await watching
        kept = not lease.lost.is_set()
        await _leave(engine, lease, runner, kept=kept)
        await http.aclose()
    return kept


async def _until(stop: asyncio.Event, lost: asyncio.Event, ending: asyncio.Event) -> None:
    """Set `ending` at the first of a stop, a lost lease, or when somebody else has set it."""
    waits = [asyncio.create_task(event.wait()) for event in (stop, lost, ending)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    ending.set()


async def _leave(engine: Engine, lease: Lease, runner: Runner, *, kept: bool) -> None:
    """Give what is under way to the others at once, then close."""
    if kept:
        settled = asyncio.Event()
        keeping = asyncio.create_task(lease.keep(settled))
        await runner.settle(GRACE_S)
        settled.set()
        await keeping
        with contextlib.suppress(Fact):  # if it cannot be released now, it lapses
            await lease.release(engine.requeue)
    await runner.drop()
    await engine.close()
    _log.info("worker left", worker=lease.worker_id, lost=not kept)


def _equipment(mesh: Mesh, lease: Lease, http: AsyncClient) -> Equipment:
    return Equipment(
        app=mesh.app,
        operations=mesh.operations,
        clock=mesh.clock,
        lease=lease,
        gate=mesh.gate,
        invoker=mesh.invoker,
        http=http,
        expressions=mesh.expressions,
        playbook_digest=mesh.playbook.digest,
    )
