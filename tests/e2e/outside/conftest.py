"""A whole mesh in this process, whose pools can be looked at, and agents that mean no good."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.conftest import Databases
from tests.contract.agents.hostile import BEHAVIOURS

from ai_agent_mesh.adapters.a2a import A2aCaller, A2aCards
from ai_agent_mesh.adapters.http import HttpCaller
from ai_agent_mesh.adapters.openai import OpenAiCaller
from ai_agent_mesh.api.app import build
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy, guarded_client
from ai_agent_mesh.plumbing.jobs import Lease
from ai_agent_mesh.product.agents import AgentCaller, HealthChecks, Invoker, Kind, Registrar
from ai_agent_mesh.product.identity import PLATFORM_TENANT, open_account
from ai_agent_mesh.product.orchestration import Equipment, Runner
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh

#: What holds on until the caller has had enough.
SLOW = ("hang", "drip", "slow-head")
#: Names that the outside world resolves to another address each time they are asked for.
TURNING = "turning.example"


def card(url: str) -> bytes:
    """Return the card of an agent at a URL."""
    interface = {"url": f"{url}/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    return json.dumps(
        {"name": "Once honest", "version": "1", "supportedInterfaces": [interface]}
    ).encode()


@dataclass
class Outside:
    """Agents by path: honest about their cards until told otherwise, then as the path says."""

    url: str = ""
    honest: bool = True
    #: The slow ones that wait to be hung up on, by path.
    holding: set[str] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, then close."""
        path = ""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            name = path.strip("/").split("/")[0]
            if self.honest or name == "card":
                host = head.lower().partition(b"\r\nhost: ")[2].partition(b"\r\n")[0].decode()
                said = card(f"http://{host}/{name}")
                line = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                writer.write(line % len(said) + said)
                return
            if name in SLOW:
                self.holding.add(path)
            await BEHAVIOURS[name](writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.holding.discard(path)
            writer.close()


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    """Serve on a free port."""
    made = Outside()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@dataclass
class House:
    """One mesh, its door, and an owner's key."""

    mesh: Mesh
    client: httpx.AsyncClient
    databases: Databases
    tenant: str
    http: httpx.AsyncClient

    @property
    def held(self) -> dict[str, int]:
        """Return the connections that each pool has lent out now."""
        pools = {
            "app": self.mesh.app, "ledger": self.mesh.ledger, "operations": self.mesh.operations,
        }  # fmt: skip
        return {name: pool.in_use for name, pool in pools.items() if pool.in_use}

    async def entries(self) -> list[dict[str, Any]]:
        """Return the entries in the inbox, which nobody numbers here."""
        async with self.databases.ledger.transaction() as tx:
            rows = await tx.fetch("SELECT bytes FROM ledger_inbox ORDER BY at")
        return [msgspec.json.decode(row["bytes"]) for row in rows]

    async def spans(self, kind: str) -> list[dict[str, Any]]:
        """Return the tenant's spans of a kind."""
        async with self.mesh.app.tenant(self.tenant) as tx:
            return [dict(row) for row in await tx.fetch("SELECT * FROM span WHERE kind = $1", kind)]

    async def runner(self) -> Runner:
        """Return what a worker runs segments with."""
        lease = Lease(self.mesh.app, timedelta(minutes=5))
        await lease.acquire()
        mesh = self.mesh
        return Runner(
            Equipment(
                app=mesh.app, operations=mesh.operations, clock=mesh.clock, lease=lease,
                gate=mesh.gate, invoker=mesh.invoker, http=self.http,
                expressions=mesh.expressions, playbook_digest=mesh.playbook.digest,
            )
        )  # fmt: skip


async def nothing_held(house: House, outside: Outside, slow: int) -> None:
    """Wait until, for a while on end, so many slow ones hold on and no connection is lent out.

    One look would not do: just after the caller gave up, a server does not know it yet.
    """
    steady = 0
    async with asyncio.timeout(30):
        while steady < 25:
            await asyncio.sleep(0.02)
            steady = steady + 1 if len(outside.holding) == slow and not house.held else 0


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    """Open a mesh that may call 127.0.0.1 and nothing else, under a name service that turns."""
    policy = AddressPolicy.parse(["127.0.0.1/32"])
    settings = Settings(data=tmp_path, database_url=databases.url, allow=policy.allow)
    asked = 0

    async def names(host: str, _port: int) -> list[str]:
        nonlocal asked
        if host != TURNING:
            return [host]
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["10.0.0.7"]

    async with (
        Mesh.open(settings) as mesh,
        guarded_client(
            policy, body_limit_bytes=mesh.playbook.limits.request_bytes, resolver=names
        ) as http,
    ):
        callers: dict[Kind, AgentCaller] = {
            Kind.A2A: A2aCaller(http), Kind.HTTP: HttpCaller(http), Kind.OPENAI: OpenAiCaller(http),
        }  # fmt: skip
        mesh.registrar = Registrar(mesh.vault, A2aCards(http))
        mesh.invoker = Invoker(callers, mesh.gate, mesh.vault, mesh.clock)
        mesh.health = HealthChecks(mesh.app, mesh.operations, callers, mesh.vault)
        async with mesh.app.tenant(PLATFORM_TENANT) as tx:
            account = await open_account(
                mesh, tx, "outside", "enterprise", email="o@outside.example", person="Ada"
            )
        headers = {"Authorization": f"Bearer {account.issued.text}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(build(mesh)), base_url="http://mesh", headers=headers
        ) as client:
            yield House(mesh, client, databases, account.tenant.id, http)
