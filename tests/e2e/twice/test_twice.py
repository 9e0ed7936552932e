"""Two API processes and three workers on one database behave as one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from tests.conftest import Server
from tests.e2e.twice.conftest import both, fresh
from tests.soak.system import Customer, System, standing, until

from ai_agent_mesh import playbook
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.ledger import Receipt, verify

FREE = playbook.default().tiers["free"].requests_per_minute or 0
AT_ONCE = 10


async def at_both(
    system: System, customer: Customer, ask: Callable[[httpx.AsyncClient], Any], times: int
) -> list[httpx.Response]:
    """Ask both doors the same at the same time, ten at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(door: httpx.AsyncClient) -> httpx.Response:
        async with turn:
            answer: httpx.Response = await ask(door)
            return answer

    async with both(system, customer) as clients:
        return list(await asyncio.gather(*(one(clients[n % 2]) for n in range(times))))


async def counted_together(system: System) -> bool:
    """Tell whether each API has seen the other: one's request lessens what the other has left."""
    async with both(system, await system.customer(f"seen-{len(system.members)}", "free")) as doors:

        async def together() -> bool:
            left = [(await doors[n % 2].get("/v1/agents")).headers["ratelimit"] for n in range(4)]
            counts = [int(value.partition("r=")[2].partition(";")[0]) for value in left]
            return counts == list(range(counts[0], counts[0] - 4, -1))

        return await until(together, "the two count together", every_s=0.5)


async def test_a_limit_is_one_for_both(system: System) -> None:
    assert await counted_together(system)
    tenant = await system.customer("limited", "free")
    got = await at_both(system, tenant, lambda door: door.get("/v1/agents"), FREE + 20)
    assert Counter(answer.status_code for answer in got) == {200: FREE, 429: 20}


async def test_a_limit_counted_in_redis_is_one_for_both(
    postgres: Server, template: str, redis: str
) -> None:
    async with (
        fresh(postgres, template) as settings,
        standing(settings, settings.data.parent, REDIS_URL=redis) as system,
    ):
        await system.add("api", "api")
        for number in range(5):
            tenant = await system.customer(f"limited-{number}", "free")
            got = await at_both(system, tenant, lambda door: door.get("/v1/agents"), FREE + 20)
            # A Redis that this machine lets wait counts as away: then each counts by itself.
            if not any("counter is away" in api.said() for api in system.named("api")):
                break
            await asyncio.gather(*(api.kill() for api in system.named("api")))
            await asyncio.gather(*(api.start() for api in system.named("api")))
            await system.ready()
        async with system.inside() as link:
            assert await link.fetchval("SELECT count(*) FROM rate_window") == 0
    assert Counter(answer.status_code for answer in got) == {200: FREE, 429: 20}


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/workflows/hello/runs"])
async def test_one_key_at_both_at_once_has_one_effect_and_one_answer(
    system: System, customer: Customer, path: str
) -> None:
    named = {"dsl": "1.0.0", "namespace": "t", "name": "hello", "version": "1.0.0"}
    hello = {"document": named, "do": [{"a": {"set": {"b": 1}}}]}
    async with both(system, customer) as (one, _):
        made = await one.post("/v1/workflows", json=hello)
        assert made.is_success, made.text
    agent = {"name": "once", "kind": "http", "url": "http://127.0.0.1:9/"}
    body: dict[str, Any] = dict(agent) if path == "/v1/agents" else {"input": {}}
    key = {"Idempotency-Key": f"once {path}"}
    got = await at_both(
        system, customer, lambda door: door.post(path, json=body, headers=key), AT_ONCE
    )
    assert {answer.is_success for answer in got} == {True}
    assert len({answer.content for answer in got}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in got) == 1
    table = "agent" if path == "/v1/agents" else "run"
    async with system.inside() as link:
        rows = await link.fetch(f"SELECT id FROM {table} WHERE tenant_id = $1", customer.id)
    assert [row["id"] for row in rows] == [got[0].json()["id"]]


async def test_of_many_changes_from_one_version_one_is_made(
    system: System, customer: Customer
) -> None:
    permit = "permit (principal, action, resource);"
    async with both(system, customer) as (one, _):
        agent = {"name": "raced", "kind": "http", "url": "http://127.0.0.1:9/"}
        made = await one.post("/v1/agents", json=agent)
        user = {"email": "raced@example.org", "name": "Raced", "role": "viewer"}
        joined = await one.post("/v1/users", json=user)
        put = await one.put("/v1/policies/raced", json={"text": permit})
    numbers = iter(range(1000))

    def change(kind: str) -> Callable[[httpx.AsyncClient], Any]:
        tag = {"If-Match": (put if kind == "policies" else first[kind]).headers["etag"]}

        def ask(door: httpx.AsyncClient) -> Any:
            said = f"changed by {next(numbers)}"
            if kind == "policies":
                body = {"text": permit, "description": said}
                return door.put("/v1/policies/raced", json=body, headers=tag)
            body = {"description": said} if kind == "agents" else {"name": said}
            return door.patch(f"/v1/{kind}/{first[kind].json()['id']}", json=body, headers=tag)

        return ask

    first = {"agents": made, "users": joined}
    for kind in ("agents", "users", "policies"):
        got = await at_both(system, customer, change(kind), AT_ONCE)
        assert Counter(answer.status_code for answer in got) == {200: 1, 412: AT_ONCE - 1}, kind


async def test_a_policy_changed_at_one_is_in_force_at_the_other_at_once(
    system: System, customer: Customer
) -> None:
    shut = 'forbid (principal, action == Mesh::Action::"startRun", resource);'
    asked = {
        "action": "startRun",
        "resource": {"type": "Workflow", "name": "any"},
        "principal": {"type": "Actor", "id": "somebody", "role": "owner"},
    }
    async with both(system, customer) as (one, other):
        before = await other.post("/v1/policies:evaluate", json=asked)
        put = await one.put("/v1/policies/shut", json={"text": shut})
        after = await other.post("/v1/policies:evaluate", json=asked)
        gone = await one.delete("/v1/policies/shut", headers={"If-Match": put.headers["etag"]})
    assert gone.is_success
    assert (before.json()["decision"], after.json()["decision"]) == ("allow", "deny")


WITNESS = """
CREATE TABLE fired (was_due timestamptz, at timestamptz);
GRANT INSERT ON fired TO mesh_app;
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO fired VALUES (OLD.due_at, NEW.fired_at); RETURN NEW; END $$;
CREATE TRIGGER witness AFTER UPDATE ON scheduled_job FOR EACH ROW
  WHEN (NEW.name = 'agents.health' AND NEW.fired_at IS DISTINCT FROM OLD.fired_at)
  EXECUTE FUNCTION witness();
"""
_DUE = """
UPDATE agent SET check_due_at = now() WHERE tenant_id = $1
"""
_FIRE = "UPDATE scheduled_job SET due_at = now() WHERE name = 'agents.health' RETURNING due_at"
_LATER = "UPDATE scheduled_job SET due_at = now() + interval '1 hour' WHERE name = 'agents.health'"


async def test_what_is_scheduled_happens_once_however_many_workers_look(system: System) -> None:
    times, agents = 3, 4
    tenant = await system.customer("scheduled")
    async with both(system, tenant) as (one, _), system.inside() as link:

        async def put_off() -> bool:
            return await link.execute(_LATER) == "UPDATE 1"

        await until(put_off, "a worker has looked")
        for number in range(agents):
            url = f"{system.recorder}/agent-{number}"
            body = {"name": f"agent-{number}", "kind": "http", "url": url}
            assert (await one.post("/v1/agents", json=body)).status_code == 201
        await link.execute(WITNESS)
        for number in range(1, times + 1):
            await link.execute(_DUE, tenant.id)
            due = await link.fetchval(_FIRE)

            async def checked(number: int = number) -> bool:
                return sum((await _looks(system)).values()) >= agents * number

            await until(checked, "the checks that were due")
            assert await link.fetchval("SELECT count(*) FROM fired WHERE was_due = $1", due) == 1
        early = await link.fetchval("SELECT count(*) FROM fired WHERE was_due > at")
        await link.execute("DROP TRIGGER witness ON scheduled_job; DROP FUNCTION witness()")
        await link.execute("DROP TABLE fired")
    assert early == 0
    assert await _looks(system) == {f"/agent-{number}": times for number in range(agents)}


async def _looks(system: System) -> dict[str, int]:
    return {p: n for p, n in (await system.journal()).looks.items() if p.startswith("/agent-")}


async def test_one_numbers_and_when_it_is_killed_the_other_goes_on_without_a_gap(
    system: System, customer: Customer
) -> None:
    receipts: set[Receipt] = set()
    stop = asyncio.Event()

    async def call(door: httpx.AsyncClient) -> None:
        while not stop.is_set():
            try:
                answer = await door.get("/v1/agents?limit=1")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            receipts.add(Receipt.parse(answer.headers["mesh-receipt"]))

    holder = await system.sequencer()
    async with both(system, customer) as doors, system.inside() as link:
        first = await _head(link)
        calling = [asyncio.create_task(call(door)) for door in doors]
        for _ in range(10):  # while both live, one alone numbers, whatever comes in at the other
            before = await _head(link)
            await until(partial(_numbered, link, before["seq"]), "entries are numbered")
            now = await _head(link)
            assert (now["epoch"], now["holder"]) == (first["epoch"], first["holder"])
        await holder.kill()
        other = await system.sequencer()
        now = await _head(link)
        assert other.pid != holder.pid
        assert now["epoch"] == first["epoch"] + 1
        await until(lambda: _numbered(link, now["seq"] + 20), "the other numbers")
        stop.set()
        await asyncio.gather(*calling)
        await holder.start()
        await system.ready([holder])
        await until(lambda: _empty(link), "everything is numbered")
        rows = await link.fetch("SELECT id, digest FROM ledger_entry")
        numbers = await link.fetch(
            "SELECT max(number) = count(*) AND min(number) = 1 AS whole FROM ledger_entry"
            " GROUP BY tenant_id"
        )
    assert not receipts - {Receipt(row["id"], row["digest"]) for row in rows}
    assert {row["whole"] for row in numbers} == {True}
    operations = await Database.open(system.settings.database_url or "", Role.OPERATIONS)
    signer = Signer.load_or_create(system.settings.ledger_key)
    report = await verify(operations, pinned=[signer.public_bytes])
    await operations.close()
    assert report.sound, report.failures


async def _head(link: Any) -> Any:
    return await link.fetchrow("SELECT epoch, holder, seq FROM ledger_head")


async def _numbered(link: Any, seq: int) -> bool:
    return bool(await link.fetchval("SELECT seq > $1 FROM ledger_head", seq))


async def _empty(link: Any) -> bool:
    return not await link.fetchval("SELECT EXISTS (SELECT FROM ledger_inbox)")
