"""Agents in PostgreSQL: kept for their tenant, sealed, changed by version, called, remembered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
from tests.conftest import Databases
from tests.contract.agents.processes import running

from ai_agent_mesh.adapters.a2a import A2aCaller, A2aCards
from ai_agent_mesh.adapters.http import HttpCaller
from ai_agent_mesh.adapters.openai import OpenAiCaller
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.plumbing.crypto import MasterKey, SealBroken, Vault
from ai_agent_mesh.plumbing.http import (
    Page,
    PreconditionFailed,
    PreconditionRequired,
    Unit,
    page_of,
)
from ai_agent_mesh.plumbing.http.outbound import (
    AddressPolicy,
    AnswerTimedOut,
    ConnectionBroken,
    Unreachable,
    guarded_client,
)
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents import (
    Agent,
    AgentBusy,
    AgentCaller,
    AgentInvalid,
    AgentMissing,
    AgentNameTaken,
    Agents,
    Answer,
    Asker,
    Change,
    Credential,
    Draft,
    Filters,
    HealthChecks,
    HealthState,
    Invocation,
    InvocationInvalid,
    Invoker,
    Kind,
    Price,
    Registrar,
)
from ai_agent_mesh.product.governance import ActorRef, Forbidden, Gate, Policies
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


async def test_an_agent_is_registered_from_its_card(room: Room, honest: str) -> None:
    agent = await room.register(Draft(kind=Kind.A2A, url=honest, labels={"team": "x"}))
    assert (agent.name, agent.description, agent.version) == ("turner", "Turns a text round.", 1)
    async with room.agents() as agents:
        for reference in (agent.id, "turner"):
            found = await agents.get(reference)
            assert found == agent
            assert found.card is not None
            assert found.card["skills"][0]["id"] == "turn"
            assert found.card_read_at is not None


async def test_a_name_is_taken_once_in_a_tenant_and_free_in_another(room: Room) -> None:
    await room.register(plain("runner"))
    with pytest.raises(AgentNameTaken):
        await room.register(plain("runner"))
    assert (await room.register(plain("runner"), room.b)).name == "runner"


async def test_a_tenant_does_not_see_anothers_agents(room: Room) -> None:
    agent = await room.register(plain("runner", credential=Credential(value=SECRET)))
    async with room.agents(room.b) as agents:
        for reference in (agent.id, "runner"):
            with pytest.raises(AgentMissing):
                await agents.get(reference)
            with pytest.raises(AgentMissing):
                await agents.delete(reference, None)
        assert list(await agents.list(Filters(), page_of())) == []
    with pytest.raises(AgentMissing):
        await room.registrar.change(room.unit(room.b), agent.id, Change(description="mine"), "*")


async def test_a_list_is_filtered_and_paged(room: Room) -> None:
    drafts = [
        plain("bill-a", labels={"team": "bill", "env": "test"}),
        plain("bill-b", labels={"team": "bill"}),
        plain("ship-a", labels={"team": "ship"}),
        Draft(kind=Kind.OPENAI, url="http://127.0.0.1:1/v1", name="chat", model="m"),
    ]
    made = [await room.register(draft) for draft in drafts]

    async def names(filters: Filters, limit: int = 50, after: str | None = None) -> list[str]:
        page = Page(limit, after)
        async with room.agents() as agents:
            return [agent.name for agent in await agents.list(filters, page)]

    assert await names(Filters()) == ["bill-a", "bill-b", "ship-a", "chat"]
    assert await names(Filters(kind=Kind.OPENAI)) == ["chat"]
    assert await names(Filters(labels={"team": "bill"})) == ["bill-a", "bill-b"]
    assert await names(Filters(labels={"team": "bill", "env": "test"})) == ["bill-a"]
    assert await names(Filters(name_prefix="ship")) == ["ship-a"]
    assert await names(Filters(health=HealthState.HEALTHY)) == []
    assert await names(Filters(health=HealthState.UNKNOWN, name_prefix="bill")) == [
        "bill-a",
        "bill-b",
    ]
    assert await names(Filters(), limit=1, after=made[1].id) == ["ship-a", "chat"]


async def test_a_change_needs_the_version_it_was_made_from(room: Room) -> None:
    agent = await room.register(plain("runner", labels={"a": "1", "b": "2"}))
    patch = Change(description="Runs.", labels={"a": None, "c": "3"}, timeout_s=2.5)
    with pytest.raises(PreconditionRequired):
        await room.change(agent.id, patch, None)
    changed = await room.change(agent.id, patch, '"1"')
    assert (changed.version, changed.description, changed.timeout_s) == (2, "Runs.", 2.5)
    assert changed.labels == {"b": "2", "c": "3"}
    with pytest.raises(PreconditionFailed):
        await room.change(agent.id, patch, '"1"')
    with pytest.raises(AgentInvalid):
        await room.change(agent.id, Change(name="no spaces"), '"2"')
    async with room.agents() as agents:
        with pytest.raises(PreconditionFailed):
            await agents.delete(agent.id, '"1"')
        await agents.delete(agent.id, '"2"')
    async with room.agents() as agents:
        with pytest.raises(AgentMissing):
            await agents.get(agent.id)


async def test_of_two_changes_made_from_one_version_one_is_kept(room: Room) -> None:
    agent = await room.register(plain("runner"))
    wishes = [Change(description=str(number)) for number in range(4)]
    ended = await asyncio.gather(
        *(room.change(agent.id, wish, '"1"') for wish in wishes), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in ended) == ["Agent"] + ["PreconditionFailed"] * 3


async def test_a_credential_is_nowhere_in_the_table_and_opens_in_its_own_row_only(
    room: Room,
) -> None:
    first = await room.register(plain("one", credential=Credential(value=SECRET)))
    second = await room.register(plain("two", credential=Credential(value="other")))
    assert first.credential_set
    async with room.databases.app.tenant(room.a) as tx:
        text = await tx.fetchval("SELECT string_agg(a::text, '') FROM agent a")
        sealed = await tx.fetchval("SELECT credential FROM agent WHERE id = $1", first.id)
        for form in (SECRET, SECRET.encode().hex()):
            assert form not in text
        assert SECRET.encode() not in sealed
        await tx.execute("UPDATE agent SET credential = $1 WHERE id = $2", sealed, second.id)
    async with room.agents() as agents:
        assert (await agents.target(first)).credential == Credential(value=SECRET)
        with pytest.raises(SealBroken):
            await agents.target(second)


async def test_operations_may_not_even_read_the_sealed_credential(room: Room) -> None:
    async with room.databases.operations.transaction() as tx:
        assert await tx.fetch("SELECT tenant_id, id, health FROM agent") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.fetch("SELECT credential FROM agent")


async def test_a_kept_credential_does_not_move_to_an_address_of_another_origin(
    room: Room,
) -> None:
    agent = await room.register(plain("runner", credential=Credential(value=SECRET)))
    stolen = Change(url="http://127.0.0.1:2/x")
    with pytest.raises(AgentInvalid) as raised:
        await room.change(agent.id, stolen, "*")
    assert raised.value.faults[0].place == "/credential"
    moved = await room.change(agent.id, Change(url="http://127.0.0.1:1/y"), "*")
    assert moved.credential_set
    dropped = await room.change(agent.id, Change(url="http://127.0.0.1:2/x", credential=None), "*")
    assert not dropped.credential_set


async def test_an_invocation_answers_and_is_remembered_with_its_cost(
    room: Room, honest: str
) -> None:
    price = Price(input_per_1k=Decimal("0.5"), output_per_1k=Decimal(2))
    draft = Draft(kind=Kind.A2A, url=honest, credential=Credential(value=SECRET), price=price)
    agent = await room.register(draft)
    answer = await room.invoke("turner", Invocation(input="stressed"))
    assert (answer.output, answer.text) == ({"echo": "desserts"}, "desserts")
    assert answer.cost == Decimal("0.0095")
    assert answer.attempts == 1
    (span,) = await room.spans()
    assert (span.agent_id, span.trace_id) == (agent.id, answer.trace_id)
    assert (span.input_tokens, span.output_tokens, span.cost) == (7, 3, Decimal("0.0095"))
    assert span.error_type is None
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"


async def test_a_forbidden_invocation_names_its_policy_and_never_reaches_the_agent(
    room: Room, honest: str
) -> None:
    draft = Draft(
        kind=Kind.A2A,
        url=honest,
        labels={"restricted": "true"},
        credential=Credential(value=SECRET),
    )
    await room.register(draft)
    async with httpx.AsyncClient() as http:
        await http.get(f"{honest}/seen")
        with pytest.raises(Forbidden) as raised:
            await room.invoke("turner", Invocation(input="x"))
        assert (await http.get(f"{honest}/seen")).json() == []
    assert raised.value.evidence["policies"] == ["restricted-agents"]
    assert await room.spans() == []
    (decision,) = await room.spans(SpanKind.POLICY_DECISION)
    assert decision.name


async def test_a_viewer_is_denied_by_default(room: Room) -> None:
    await room.register(plain("runner"))
    viewer = Asker(principal=ActorRef(id="usr_1", role="viewer"), tier="free")
    with pytest.raises(Forbidden):
        await room.invoke("runner", Invocation(input="x"), viewer)


async def test_no_connection_is_held_while_the_agent_is_waited_for(
    room: Room, hostile: str
) -> None:
    await room.register(plain("slow", f"{hostile}/hang"))
    invocation = Invocation(input="x", timeout_s=1)
    call = asyncio.create_task(room.invoke("slow", invocation))
    await asyncio.sleep(0.5)
    assert room.databases.app.in_use == 0
    with pytest.raises(AnswerTimedOut):
        await call
    (span,) = await room.spans()
    assert span.error_type == "AnswerTimedOut"
    assert 900_000 < span.duration_us < 2_000_000


async def test_a_busy_agent_is_asked_again_within_bounds(room: Room, honest: str) -> None:
    draft = plain("busy", f"{honest}/busy", credential=Credential(value=SECRET))
    await room.register(draft)
    with pytest.raises(AgentBusy) as raised:
        await room.invoke("busy", Invocation(input="x", attempts=2, timeout_s=10))
    assert raised.value.evidence["attempts"] == 2
    with pytest.raises(AgentBusy) as hurried:
        await room.invoke("busy", Invocation(input="x", attempts=9, timeout_s=0.5))
    assert hurried.value.evidence["attempts"] == 1


async def test_an_agent_that_fails_first_is_retried_with_one_key_and_acts_once(
    room: Room, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    options = ("--fail-first", "2", "--journal", str(journal))
    text = "Invoice: A-1\n2 x Chair @ 40.00 = 80.00\nTotal: 80.00\n"
    with running("examples.agents.invoice_clerk", *options) as url:
        await room.register(Draft(kind=Kind.A2A, url=url))
        said = Invocation(input={"act": "book", "text": text}, idempotency_key="run-1/book")
        answer = await room.invoke("invoice-clerk", said)
        again = await room.invoke("invoice-clerk", said)
    assert answer.attempts == 3
    assert answer.output["ok"]
    assert again.output == answer.output
    entries = [msgspec.json.decode(line) for line in journal.read_text().splitlines()]
    assert [(e["event"], e["key"]) for e in entries] == [
        ("effect", "run-1/book"),
        ("replay", "run-1/book"),
    ]


async def test_an_ambiguous_failure_is_repeated_for_an_idempotent_agent_only(
    room: Room, hostile: str
) -> None:
    await room.register(plain("once", f"{hostile}/half"))
    await room.register(plain("often", f"{hostile}/half", idempotent=True))
    for name, attempts in (("once", 1), ("often", 3)):
        with pytest.raises(ConnectionBroken) as raised:
            await room.invoke(name, Invocation(input="x"))
        assert raised.value.evidence["attempts"] == attempts


async def test_a_closed_port_is_tried_three_times(room: Room) -> None:
    await room.register(plain("closed"))
    with pytest.raises(Unreachable) as raised:
        await room.invoke("closed", Invocation(input="x"))
    assert raised.value.evidence["attempts"] == 3


async def test_an_agent_renamed_to_a_taken_name_is_refused(room: Room) -> None:
    await room.register(plain("one"))
    await room.register(plain("two"))
    with pytest.raises(AgentNameTaken):
        await room.change("two", Change(name="one"), "*")


async def test_a_wrong_invocation_reaches_nobody(room: Room) -> None:
    await room.register(plain("runner"))
    with pytest.raises(InvocationInvalid):
        await room.invoke("runner", Invocation(input="x", timeout_s=-1))
    for nobody in ("nobody", "agt_nobody", "no\0body", "\U0001f600"):
        with pytest.raises(AgentMissing):
            await room.invoke(nobody, Invocation(input="x"))
    assert await room.spans() == []


async def test_health_is_checked_when_due_and_by_one_worker_only(room: Room, honest: str) -> None:
    await room.register(Draft(kind=Kind.A2A, url=honest))
    dead = await room.register(plain("dead"), room.b)
    now = SystemClock().now() + timedelta(seconds=1)
    assert len(await room.health.due(now)) == 2
    done = [await room.health.run(now), await room.health.run(now)]
    assert done == [2, 0]
    async with room.agents() as agents:
        health = (await agents.get("turner")).health
        assert (health.state, health.error) == (HealthState.HEALTHY, None)
    for minute in (1, 2):
        assert await room.health.run(now + timedelta(minutes=minute)) == 2
    async with room.agents(room.b) as agents:
        found = await agents.get(dead.id)
    assert (found.health.state, found.health.consecutive_failures) == (HealthState.UNHEALTHY, 3)
    assert "No connection" in (found.health.error or "")
    assert found.version == 1


async def test_a_card_is_read_again_and_kept(room: Room, honest: str) -> None:
    agent = await room.register(Draft(kind=Kind.A2A, url=honest))
    async with room.databases.app.tenant(room.a) as tx:
        await tx.execute("UPDATE agent SET card = '{}'")
    unit = room.unit()
    refreshed = await room.registrar.refresh(unit, agent.id)
    await unit.settle()
    assert refreshed.card == agent.card
    assert refreshed.version == agent.version
    await room.register(plain("runner"))
    with pytest.raises(AgentInvalid):
        await room.registrar.refresh(room.unit(), "runner")
