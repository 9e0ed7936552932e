"""One API process: the door on a port, and the sequencer beside it."""

import asyncio
import contextlib
import gc
import resource
import signal
from time import monotonic

import structlog
import uvicorn

from ai_agent_mesh.api.app import build
from ai_agent_mesh.api.idempotency import forget
from ai_agent_mesh.api.wire import Wire
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.agreements import Agreements, waits
from ai_agent_mesh.plumbing.observe import configure
from ai_agent_mesh.plumbing.postgres import Presence
from ai_agent_mesh.plumbing.processes import leave_within
from ai_agent_mesh.product.ledger import governing
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh

log = structlog.get_logger(__name__)

#: Requests under way get this long to end after a SIGTERM.
GRACE_S = 10
#: So long after that the process has gone, whatever does not answer.
LEAVE_S = 4
#: So often what was spooled is looked for, and so often old idempotency keys are.
UPKEEP_S = 1
FORGET_S = 60
#: So long another API process may count apart from this one after it came.
LOOK_S = 1


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    configure(settings.log_level, service="mesh-api")
    _allow_connections()
    # uvicorn ends its own way on these and then raises them again; the mesh is closed after that.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_serve(settings))


def _allow_connections() -> None:
    """Take as many open files as this process may have: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


async def _serve(settings: Settings) -> None:
    async with Mesh.open(settings) as mesh:
        await _say_what_waits(mesh)
        door = build(mesh)
        # Whoever starts in the midst of maintenance must know of it before the first call.
        await mesh.look_ahead()
        # What was imported and wired stays for good: the collector need not walk it at each turn.
        gc.collect()
        gc.freeze()
        config = uvicorn.Config(
            door,
            host=settings.host,
            port=settings.port,
            http=Wire,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        stop = asyncio.Event()
        beside = [
            asyncio.create_task(mesh.sequencer.run(stop), name="sequencer"),
            asyncio.create_task(_upkeep(mesh, stop), name="upkeep"),
            asyncio.create_task(_look_around(mesh, stop), name="presence"),
        ]
        try:
            await uvicorn.Server(config).serve()
        finally:
            leave_within(LEAVE_S, 0)
            stop.set()
            await door.close()
            await asyncio.wait(beside)
        log.info("api.stopped")


async def _say_what_waits(mesh: Mesh) -> None:
    """Tell once of a changed promise, which the running month does not take up any more."""
    month = Month.of(mesh.clock.now())
    try:
        async with mesh.operations.transaction() as tx:
            agreements = Agreements(tx, mesh.playbook)
            changes = await agreements.waiting(month)
            named, judge = await governing(tx, month), await agreements.of(month)
    except Fact as fact:
        log.warning("playbook.unread", month=str(month), reason=fact.detail)
        return
    if named not in (None, judge.digest):
        log.warning("playbook.text_not_kept", month=str(month), digest=named)
    if changes:
        log.warning("playbook.waits", month=str(month), reason=waits(changes, month))


async def _look_around(mesh: Mesh, stop: asyncio.Event) -> None:
    """Count requests in memory as long as no other API process is at the database."""
    presence = Presence(mesh.login_url)
    try:
        while not stop.is_set():
            try:
                alone = await presence.alone()
            except Fact:
                alone = False  # the shared window is away as well, and stands in for itself
            mesh.allowances.count_here(alone=alone)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)
    finally:
        await presence.close()


async def _upkeep(mesh: Mesh, stop: asyncio.Event) -> None:
    """Import what was spooled while the database was away, and forget old idempotency keys."""
    forget_at = 0.0
    while not stop.is_set():
        try:
            late = await mesh.spool.drain(mesh.ledger)
            if late:
                log.info("ledger.imported_late", entries=late)
            if monotonic() >= forget_at:
                await forget(mesh.ledger)
                forget_at = monotonic() + FORGET_S
        except Fact as fact:
            log.warning("upkeep.postponed", reason=fact.detail)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), UPKEEP_S)
