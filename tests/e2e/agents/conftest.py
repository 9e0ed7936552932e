"""Agents in PostgreSQL, with everything around them that is real: callers, gate, vault."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.conftest import Databases
from tests.contract.agents.processes import running

from ai_agent_mesh.adapters.a2a import A2aCaller, A2aCards
from ai_agent_mesh.adapters.http import HttpCaller
from ai_agent_mesh.adapters.openai import OpenAiCaller
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.plumbing.crypto import MasterKey, Vault
from ai_agent_mesh.plumbing.http import (
    Unit,
)
from ai_agent_mesh.plumbing.http.outbound import (
    AddressPolicy,
    guarded_client,
)
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents import (
    Agent,
    AgentCaller,
    Agents,
    Answer,
    Asker,
    Change,
    Draft,
    HealthChecks,
    Invocation,
    Invoker,
    Kind,
    Registrar,
)
from ai_agent_mesh.product.governance import ActorRef, Gate, Policies
from ai_agent_mesh.product.identity import Tenant, Tenants
from ai_agent_mesh.product.telemetry import Kind as SpanKind
from ai_agent_mesh.product.telemetry import Slice, StoredSpan, Telemetry

SECRET = "open-sesame"


ASKER = Asker(principal=ActorRef(id="key_1", role="developer"), tier="professional")


@dataclass(frozen=True)
class Room:
    """Everything of agents on one fresh database."""

    databases: Databases
    vault: Vault
    registrar: Registrar
    invoker: Invoker
    health: HealthChecks
    a: str
    b: str

    def unit(self, tenant: str | None = None) -> Unit:
        return Unit(self.databases.app, tenant or self.a)

    async def register(self, draft: Draft, tenant: str | None = None) -> Agent:
        unit = self.unit(tenant)
        try:
            agent = await self.registrar.register(unit, draft)
            await unit.settle()
        finally:
            await unit.undo()
        return agent

    async def change(self, agent: str, change: Change, if_match: str | None) -> Agent:
        unit = self.unit()
        try:
            changed = await self.registrar.change(unit, agent, change, if_match)
            await unit.settle()
        finally:
            await unit.undo()
        return changed

    @asynccontextmanager
    async def agents(self, tenant: str | None = None) -> AsyncIterator[Agents]:
        async with self.databases.app.tenant(tenant or self.a) as tx:
            yield Agents(tx, self.vault)

    async def invoke(self, agent: str, invocation: Invocation, asker: Asker = ASKER) -> Answer:
        unit = self.unit()
        try:
            answer = await self.invoker.invoke(unit, asker, agent, invocation)
            await unit.settle()
        finally:
            await unit.undo()
        return answer

    async def spans(self, kind: SpanKind = SpanKind.AGENT_CALL) -> list[StoredSpan]:
        now = SystemClock().now()
        part = Slice(now - timedelta(hours=1), now + timedelta(hours=1), kind)
        async with self.databases.app.tenant(self.a) as tx:
            return await Telemetry(tx).spans(part, None, 100)


async def _starter(tx: Tx, _tenant: Tenant) -> None:
    await Policies(tx).install_starter()


@pytest.fixture
async def room(databases: Databases, tmp_path: Path) -> AsyncIterator[Room]:
    vault = Vault(MasterKey.load_or_create(tmp_path / "master.key"))
    policy = AddressPolicy.parse(["127.0.0.0/8"])
    async with guarded_client(policy, body_limit_bytes=1_000_000) as http:
        callers: dict[Kind, AgentCaller] = {
            Kind.A2A: A2aCaller(http),
            Kind.HTTP: HttpCaller(http),
            Kind.OPENAI: OpenAiCaller(http),
        }
        async with databases.app.tenant("platform") as tx:
            tenants = Tenants(tx, SystemClock(), (_starter,))
            made = [await tenants.create(name, "professional") for name in ("A", "B")]
        yield Room(
            databases,
            vault,
            Registrar(vault, A2aCards(http)),
            Invoker(callers, Gate(), vault, SystemClock()),
            HealthChecks(databases.app, databases.operations, callers, vault),
            made[0].id,
            made[1].id,
        )


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    with running("tests.contract.agents.honest") as url:
        yield url


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    with running("tests.contract.agents.hostile") as url:
        yield url


def plain(name: str, url: str = "http://127.0.0.1:1/x", **more: object) -> Draft:
    draft = Draft(kind=Kind.HTTP, url=url, name=name)
    return msgspec.structs.replace(draft, **more)
