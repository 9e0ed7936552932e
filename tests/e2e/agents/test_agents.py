"""Agents in PostgreSQL: kept for their tenant, sealed, changed by version, checked."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from tests.e2e.agents.conftest import SECRET, Room, plain

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.plumbing.crypto import SealBroken
from ai_agent_mesh.plumbing.http import (
    Page,
    PreconditionFailed,
    PreconditionRequired,
    page_of,
)
from ai_agent_mesh.product.agents import (
    AgentInvalid,
    AgentMissing,
    AgentNameTaken,
    Change,
    Credential,
    Draft,
    Filters,
    HealthState,
    Kind,
)


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


async def test_an_agent_renamed_to_a_taken_name_is_refused(room: Room) -> None:
    await room.register(plain("one"))
    await room.register(plain("two"))
    with pytest.raises(AgentNameTaken):
        await room.change("two", Change(name="one"), "*")


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


async def test_agents_that_hang_keep_no_other_tenants_checks_waiting(room: Room) -> None:
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for number in range(20):
            await room.register(plain(f"stuck-{number}", f"http://127.0.0.1:{port}/x"))
        other = await room.register(plain("other"), room.b)
        checks = asyncio.create_task(room.health.run(SystemClock().now() + timedelta(seconds=1)))
        while True:
            async with room.agents(room.b) as agents:
                if (await agents.get(other.id)).health.checked_at is not None:
                    break
            await asyncio.sleep(0.02)
        async with room.agents() as agents:
            found = await agents.list(Filters(), page_of())
        assert {agent.health.checked_at for agent in found} == {None}
        over.set()
        assert await checks == 21


async def test_agents_registered_together_are_soon_checked_apart(room: Room) -> None:
    for number in range(5):
        await room.register(plain(f"one-{number}"))
    now = SystemClock().now() + timedelta(seconds=1)
    assert await room.health.run(now) == 5
    interval = timedelta(minutes=1)
    assert await room.health.due(now + 0.9 * interval - timedelta(seconds=1)) == []
    assert len(await room.health.due(now + interval)) == 5
    sql = "SELECT count(DISTINCT check_due_at) FROM agent"
    async with room.databases.app.tenant(room.a) as tx:
        assert await tx.fetchval(sql) == 5


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
