"""A tenant with more entries than anything should hold at once, and readers of its bundle."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import uvicorn

from ai_agent_mesh.api.app import build
from ai_agent_mesh.api.door import Door
from ai_agent_mesh.api.wire import Wire
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.product.identity import open_account
from ai_agent_mesh.product.ledger import Entry, Kind
from ai_agent_mesh.product.ledger.inbox import append
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.sla import Category, Fault, Service
from ai_agent_mesh.wiring import Mesh

_PAGE = 5_000


@dataclass(frozen=True)
class Customer:
    """A tenant and its owner's key."""

    tenant: str
    key: str


def last_month(now: datetime | None = None) -> Month:
    """Return the calendar month before this one."""
    first = Month.of(now or datetime.now(UTC)).since
    return Month.of(first - timedelta(days=1))


async def customer(mesh: Mesh, name: str, admin: str) -> Customer:
    """Make a tenant that began long before the last month."""
    async with mesh.app.transaction() as tx:
        account = await open_account(
            mesh, tx, name, "enterprise", email=f"{name}@example.com", person=name
        )
    link = await asyncpg.connect(admin)
    try:
        for table, column in (("tenant", "created_at"), ("tenant_tier", "since")):
            await link.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            await link.execute(f"UPDATE {table} SET {column} = {column} - interval '99 days'")
            await link.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    finally:
        await link.close()
    return Customer(account.tenant.id, account.issued.text)


async def fill(mesh: Mesh, tenant: str, month: Month, entries: int) -> None:
    """Number so many calls of a tenant, a hundred a minute, all of each tenth minute failed."""
    first = month.since + timedelta(days=9)
    for start in range(0, entries, _PAGE):
        made = [
            _call(tenant, first + timedelta(milliseconds=600 * n), failed=not n // 100 % 10)
            for n in range(start, min(start + _PAGE, entries))
        ]
        await append(mesh.ledger, [(one, one.canonical) for one in made])
    await numbered(mesh)


async def numbered(mesh: Mesh) -> None:
    """Wait until the sequencer has numbered everything."""
    while True:
        async with mesh.ledger.transaction() as tx:
            if not await tx.fetchval("SELECT EXISTS (SELECT FROM ledger_inbox)"):
                return
        await asyncio.sleep(0.05)


def _call(tenant: str, at: datetime, *, failed: bool) -> Entry:
    return Entry(
        id=new_id("ent"),
        kind=Kind.CALL,
        tenant=tenant,
        at=at,
        service=Service.API,
        category=Category.AGENT_CRUD,
        route="GET /v1/agents",
        status=503 if failed else 200,
        fault=Fault.PLATFORM if failed else Fault.NONE,
        duration_us=1_500,
        latency_us=1_500,
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Mesh, Door, int]]:
    """Serve in this process, with the sequencer beside it; yield mesh, door and port."""
    async with Mesh.open(settings) as mesh:
        door = build(mesh)
        config = uvicorn.Config(
            door, interface="asgi3", port=0, http=Wire, ws="none", lifespan="off", log_config=None,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        running, stop = uvicorn.Server(config), asyncio.Event()
        tasks = [
            asyncio.create_task(running.serve()), asyncio.create_task(mesh.sequencer.run(stop)),
        ]  # fmt: skip
        while not running.started:
            await asyncio.sleep(0.01)
        try:
            yield mesh, door, running.servers[0].sockets[0].getsockname()[1]
        finally:
            running.should_exit = True
            stop.set()
            await asyncio.gather(*tasks)
            await door.close()


class Reader:
    """A connection that asks for a bundle and takes of it as little as it likes."""

    def __init__(self, port: int, key: str, month: Month, *, method: str = "GET") -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._asked = (
            f"{method} /v1/sla/statements/{month} HTTP/1.1\r\nHost: x\r\n"
            f"Accept: application/x-ndjson\r\nAuthorization: Bearer {key}\r\n\r\n"
        ).encode()

    async def ask(self) -> bytes:
        """Ask, and return the head of the answer with the beginning of its body."""
        loop, got = asyncio.get_running_loop(), b""
        await loop.sock_sendall(self._socket, self._asked)
        async with asyncio.timeout(60):
            while len(got.partition(b"\r\n\r\n")[2]) < 10_000:
                got += await loop.sock_recv(self._socket, 4_096)
        return got

    async def rest(self) -> tuple[bytes, bool]:
        """Return all that still comes, and whether the connection broke off."""
        loop, got = asyncio.get_running_loop(), []
        async with asyncio.timeout(60):
            try:
                while part := await loop.sock_recv(self._socket, 65_536):
                    got.append(part)
            except ConnectionError:
                return b"".join(got), True
        return b"".join(got), False

    def leave(self) -> None:
        """Go away."""
        self._socket.close()


def receipt_of(head: bytes) -> str:
    """Return the id of the entry that an answer's head promises."""
    (line,) = (one for one in head.split(b"\r\n") if one.lower().startswith(b"mesh-receipt:"))
    return line.partition(b":")[2].strip().partition(b";")[0].decode()


async def entry(mesh: Mesh, sql: str, what: str) -> dict[str, Any]:
    """Return the entry that a condition finds, once it is numbered."""
    async with asyncio.timeout(60):
        while True:
            async with mesh.operations.transaction() as tx:
                raw = await tx.fetchval(f"SELECT bytes FROM ledger_entry WHERE {sql}", what)
            if raw is not None:
                return dict(json.loads(raw))
            await asyncio.sleep(0.05)


async def closed(mesh: Mesh, call: str) -> dict[str, Any]:
    """Return the entry that says how the stream of a call ended."""
    found = "kind = 'stream_closed' AND position($1 in convert_from(bytes, 'UTF8')) > 0"
    return await entry(mesh, found, f'"object":"{call}"')


def settings_of(folder: Path, login: str, owner: str) -> Settings:
    """Return the settings of every process of one test."""
    return Settings(data=folder / "data", database_url=login, migrate_url=owner, lease_s=1)
