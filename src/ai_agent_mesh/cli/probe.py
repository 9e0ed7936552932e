"""`mesh probe`: the process that tries every service through the public door."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def probe(
    target: Annotated[
        str | None, typer.Option(help="The address to try; default: this machine's mesh.")
    ] = None,
    interval: Annotated[
        float | None, typer.Option(help="Seconds between tries; default: the playbook's.", min=1)
    ] = None,
) -> None:
    """Try every service, with the key in MESH_PROBE_KEY, until SIGTERM."""
    import asyncio

    asyncio.run(_probe(target, interval))


async def _probe(target: str | None, interval_s: float | None) -> None:
    import asyncio
    import signal
    from datetime import timedelta

    import httpx
    import structlog

    from ai_agent_mesh.kernel.clock import SystemClock
    from ai_agent_mesh.kernel.errors import Fault
    from ai_agent_mesh.operations.probe import Probe
    from ai_agent_mesh.playbook import load
    from ai_agent_mesh.plumbing.observe import configure
    from ai_agent_mesh.settings import Settings, SettingsInvalid

    settings = Settings.read()
    if settings.probe_key is None:
        reason = "MESH_PROBE_KEY is not set; `mesh up` gives its own probe one"
        raise SettingsInvalid(reason=reason, faults=[Fault("MESH_PROBE_KEY", reason)])
    configure(settings.log_level, service="mesh-probe")
    rules = load(settings.playbook).measurement.probe
    interval = timedelta(seconds=interval_s) if interval_s else rules.interval
    address = target or settings.public_url or f"http://{settings.host}:{settings.port}"
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with httpx.AsyncClient(
        base_url=address,
        headers={"Authorization": f"Bearer {settings.probe_key}", "User-Agent": "mesh-probe"},
        timeout=httpx.Timeout(10, read=None),
        follow_redirects=False,
    ) as client:
        structlog.get_logger(__name__).info("probe.started", target=address)
        await Probe(client, interval, SystemClock()).run(stop)
