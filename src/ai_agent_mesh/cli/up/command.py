"""The options of `mesh up`."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ai_agent_mesh.settings import Settings

log = logging.getLogger(__name__)

Host = Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
]
Data = Annotated[
    Path | None, typer.Option(help="Folder of the data (default .mesh).", file_okay=False)
]
Workers = Annotated[int, typer.Option(help="How many workers.", min=0)]
Probe = Annotated[bool, typer.Option("--probe/--no-probe", help="Measure through the front door.")]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON once all is ready.")]


app = typer.Typer()


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    workers: Workers = 1,
    probe: Probe = True,
    as_json: Json = False,
) -> None:
    """Start everything on this machine and keep it running; Ctrl-C stops it."""
    from ai_agent_mesh.cli.up.supervisor import Plan, stand

    settings = Settings.read()
    settings = replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        data=data.absolute() if data else settings.data,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="mesh up: %(message)s")
    for chatty in ("httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    plan = Plan(settings=settings, workers=workers, probe=probe, as_json=as_json)
    asyncio.run(_until_told(stand(plan)))


async def _until_told(work: Coroutine[None, None, None]) -> None:
    """Do the work until the first Ctrl-C, SIGTERM or hang-up; those after it change nothing."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def told() -> None:
        if not stopping.is_set():
            stopping.set()
            log.info("stopping")
            task.cancel()

    stopping = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, told)
    try:
        await task
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
