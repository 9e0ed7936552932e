"""One API process: the door on a port, and the sequencer beside it."""

import asyncio
import contextlib
import signal

import structlog
import uvicorn

from ai_agent_mesh.api.app import build
from ai_agent_mesh.api.idempotency import forget
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.observe import configure
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh

log = structlog.get_logger(__name__)

#: Requests under way get this long to end after a SIGTERM.
GRACE_S = 10
UPKEEP_S = 5


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    configure(settings.log_level, service="mesh-api")
    # uvicorn ends its own way on these and then raises them again; the mesh is closed after that.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_serve(settings))


def _loop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


async def _serve(settings: Settings) -> None:
    async with Mesh.open(settings) as mesh:
        config = uvicorn.Config(
            build(mesh),
            host=settings.host,
            port=settings.port,
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_S,
            # The door refuses larger bodies; this bounds what waits unread before it.
            h11_max_incomplete_event_size=65_536,
        )
        stop = asyncio.Event()
        beside = [
            asyncio.create_task(mesh.sequencer.run(stop), name="sequencer"),
            asyncio.create_task(_upkeep(mesh, stop), name="upkeep"),
        ]
        try:
            await uvicorn.Server(config).serve()
        finally:
            stop.set()
            await asyncio.wait(beside, timeout=GRACE_S)
        log.info("api.stopped")


async def _upkeep(mesh: Mesh, stop: asyncio.Event) -> None:
    """Import what was spooled while the database was away, and forget old idempotency keys."""
    while not stop.is_set():
        try:
            late = await mesh.spool.drain(mesh.ledger)
            if late:
                log.info("ledger.imported_late", entries=late)
            await forget(mesh.ledger)
        except Fact as fact:
            log.warning("upkeep.postponed", reason=fact.detail)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), UPKEEP_S)
