"""The order in which one machine's mesh comes up, and how all of it goes down again."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

import httpx

from ai_agent_mesh.cli.up.announcement import FirstTenant, Standing, announce
from ai_agent_mesh.cli.up.child import Child
from ai_agent_mesh.cli.up.first import first_tenant, fresh_probe_key
from ai_agent_mesh.cli.up.folder import DataFolder, prepare
from ai_agent_mesh.cli.up.logs import tend
from ai_agent_mesh.cli.up.store import Store, open_store
from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres import migrate
from ai_agent_mesh.plumbing.processes import FolderLock, begin_restarts, free_port
from ai_agent_mesh.settings import LOOPBACK, Settings

log = logging.getLogger(__name__)

_READY_S = 120.0
_POLL_S = 0.1
_RUNNING_S = 5.0
PROBE = "probe"
#: An API that ends this often before it was ever ready will not come up by itself.
_HOPELESS = 3


Keeper = Callable[[], Awaitable[object]]


class StartFailed(Unavailable):
    "The API did not come up: {reason} (see {log})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to stand: the settings, how many workers, whether a probe, and how to say it."""

    settings: Settings
    workers: int = 1
    probe: bool = True
    as_json: bool = False


async def stand(plan: Plan) -> None:
    """Bring everything up, tell where it is, and keep it running until cancelled."""
    folder = prepare(plan.settings.data)
    with FolderLock(folder.run):
        port = free_port(plan.settings.host, plan.settings.port)
        async with open_store(plan.settings) as store:
            await _migrate(store)
            settings = replace(plan.settings, port=port, database_url=store.urls.login)
            await _run(replace(plan, settings=settings), folder, store)


async def _migrate(store: Store) -> None:
    began = monotonic()
    revision = await migrate(store.urls.migrate, urlsplit(store.urls.login).username)
    log.info("the database is at revision %s (%.1f s)", revision, monotonic() - began)


async def _run(plan: Plan, folder: DataFolder, store: Store) -> None:
    key = await fresh_probe_key(plan.settings) if plan.probe else None
    children = _children(plan, folder, store, key)
    begin_restarts(folder.restarts, [child.name for child in children])

    ready = asyncio.Event()

    async def present() -> None:
        await _until_ready(address(plan.settings), children[0])
        ready.set()
        # Made last: a key that was made and not shown would be lost.
        tenant = await first_tenant(plan.settings)
        await _until_running(children)
        announce(_standing(plan, tenant, store, children), as_json=plan.as_json)
        await asyncio.Event().wait()

    async def keep(child: Child) -> None:
        if child.name == PROBE:  # there is nothing to measure before
            await ready.wait()
        await child.keep()

    keepers: list[Keeper] = [store.keep, store.tend, partial(tend, folder.logs)]
    keepers += [partial(keep, child) for child in children]
    await _first_end(present(), keepers)


async def _until_running(children: Sequence[Child]) -> None:
    """Wait a moment for those that start late or again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_RUNNING_S):
            while any(child.pid is None for child in children):  # noqa: ASYNC110 - processes tell no event loop
                await asyncio.sleep(_POLL_S)


def address(settings: Settings) -> str:
    """Return the URL at which a person on this machine reaches the API."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # read, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _children(plan: Plan, folder: DataFolder, store: Store, key: str | None) -> list[Child]:
    environ = environment(plan.settings, embedded=store.pid is not None)
    words = [("api",)] + [("worker",)] * plan.workers
    names = ["api"] + [f"worker-{number}" for number in range(1, plan.workers + 1)]
    children = [
        Child(name, each, environ, folder.logs, folder.restarts)
        for name, each in zip(names, words, strict=True)
    ]
    if key:
        environ = environ | {"MESH_PROBE_KEY": key}
        children.append(Child(PROBE, (PROBE,), environ, folder.logs, folder.restarts))
    return children


def environment(settings: Settings, *, embedded: bool) -> dict[str, str]:
    """Return what a child finds in its environment: never the owner's address, nor a probe key.

    On the embedded database agents on this machine may be called: it is a place to try things.
    """
    kept = {k: v for k, v in os.environ.items() if k not in {"MESH_MIGRATE_URL", "MESH_PROBE_KEY"}}
    return kept | {
        "MESH_DATA": str(settings.data),
        "DATABASE_URL": settings.database_url or "",
        "MESH_ALLOW_ADDRESSES": _allowed(settings, embedded=embedded),
        "MESH_HOST": settings.host,
        "MESH_PORT": str(settings.port),
        "MESH_PUBLIC_URL": address(settings),
        "PYTHONUNBUFFERED": "1",
    }


def _allowed(settings: Settings, *, embedded: bool) -> str:
    return ",".join(map(str, settings.allow)) or (LOOPBACK if embedded else "")


async def _first_end(work: Awaitable[None], keepers: Sequence[Keeper]) -> None:
    """Run the keepers beside the work until one of all ends, as it should not, or we are told to.

    The children end before the database, which the first keeper holds.
    """
    store, *children = (asyncio.ensure_future(keeper()) for keeper in keepers)
    tasks = [asyncio.ensure_future(work), store, *children]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for some in ([tasks[0], *children], [store]):
            for task in some:
                task.cancel()
            await asyncio.gather(*some, return_exceptions=True)


async def _until_ready(api: str, child: Child) -> None:
    give_up = monotonic() + _READY_S
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        while True:
            answer = None
            try:
                answer = await client.get(f"{api}/readyz")
            except httpx.TransportError as error:
                reason = f"no answer ({error})"
            if answer is not None and answer.is_success:
                return
            if answer is not None:
                reason = f"{answer.status_code} {answer.text.strip()[:300]}"
            if child.deaths >= _HOPELESS:
                raise StartFailed(reason=child.last_words(), log=child.log)
            if monotonic() > give_up:
                raise StartFailed(reason=reason, log=child.log)
            await asyncio.sleep(_POLL_S)


def _standing(plan: Plan, tenant: FirstTenant, store: Store, children: Sequence[Child]) -> Standing:
    pids = {"supervisor": os.getpid(), "postgres": store.pid}
    pids |= {child.name: child.pid for child in children}
    return Standing(
        api=address(plan.settings),
        data=plan.settings.data,
        tenant=tenant,
        pids=pids,
        allowed=_allowed(plan.settings, embedded=store.pid is not None),
    )
