"""A creating request that comes twice has one effect and one answer."""

import asyncio
from collections import Counter

import asyncpg
from tests.conftest import Databases
from tests.e2e.conftest import Stack

from ai_agent_mesh.api.idempotency import forget


def agent(name: str) -> dict[str, str]:
    """Return what registers an agent."""
    return {"name": name, "kind": "http", "url": "http://127.0.0.1:9/"}


async def test_the_second_gets_the_answer_of_the_first(stack: Stack) -> None:
    key = {"Idempotency-Key": "twice"}
    async with stack.client() as client:
        first = await client.post("/v1/agents", json=agent("twice"), headers=key)
        again = await client.post("/v1/agents", json=agent("twice"), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    for name in ("content-type", "etag", "location"):
        assert again.headers.get(name) == first.headers.get(name)
    assert again.headers["mesh-receipt"] != first.headers["mesh-receipt"]


async def test_twenty_at_once_have_one_effect(stack: Stack) -> None:
    key = {"Idempotency-Key": "twenty"}
    async with stack.client() as client:
        got = await asyncio.gather(
            *(client.post("/v1/agents", json=agent("twenty"), headers=key) for _ in range(20))
        )
        listed = (await client.get("/v1/agents", params={"name_prefix": "twenty"})).json()
    assert {answer.status_code for answer in got} == {201}
    assert len({answer.content for answer in got}) == 1
    assert Counter("idempotency-replayed" in answer.headers for answer in got)[False] == 1
    assert len(listed["items"]) == 1


async def test_another_body_under_the_same_key_is_refused(stack: Stack) -> None:
    key = {"Idempotency-Key": "other-body"}
    async with stack.client() as client:
        await client.post("/v1/agents", json=agent("other-body"), headers=key)
        answer = await client.post("/v1/agents", json=agent("other-body-2"), headers=key)
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/idempotency-key-reused"


async def test_the_same_key_of_another_tenant_is_another_key(stack: Stack) -> None:
    _, other = await stack.tenant_key("idempotent", "professional")
    key = {"Idempotency-Key": "shared"}
    async with stack.client() as client, stack.client(other) as elsewhere:
        ours = await client.post("/v1/agents", json=agent("shared"), headers=key)
        theirs = await elsewhere.post("/v1/agents", json=agent("shared"), headers=key)
    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json()["id"] != theirs.json()["id"]


async def test_a_secret_is_shown_once(
    stack: Stack, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    key, asked = {"Idempotency-Key": "secret"}, {"service": "spine", "role": "viewer"}
    async with stack.client() as client:
        first = await client.post("/v1/keys", json=asked, headers=key)
        again = await client.post("/v1/keys", json=asked, headers=key)
    assert first.status_code == 201
    assert again.status_code == 409
    assert again.json()["type"] == "/problems/answered-once"
    async with inside.transaction():
        await inside.execute("SET LOCAL ROLE mesh_operations")
        row = await inside.fetchrow("SELECT body FROM idempotency WHERE key = 'secret'")
    assert row is not None
    assert row["body"] is None


async def test_a_failure_leaves_the_key_free(stack: Stack) -> None:
    key = {"Idempotency-Key": "failed"}
    async with stack.client() as client:
        bad = await client.post("/v1/agents", json={"name": "failed"}, headers=key)
        good = await client.post("/v1/agents", json=agent("failed"), headers=key)
    assert (bad.status_code, good.status_code) == (400, 201)


async def test_a_malformed_key_is_refused(stack: Stack) -> None:
    async with stack.client() as client:
        for text in ("", "x" * 256, "\xff"):
            headers = {b"Idempotency-Key": text.encode("latin-1")}
            answer = await client.post("/v1/agents", json=agent("never"), headers=headers)
            assert answer.status_code == 400, text
        both = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
        assert (
            await client.post("/v1/agents", json=agent("never"), headers=both)
        ).status_code == 400


async def test_a_key_is_forgotten_after_a_day(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        for name, hours in (("young", 23), ("old", 25)):
            await tx.execute(
                "INSERT INTO idempotency (key, request, created_at)"
                f" VALUES ($1, '', now() - interval '{hours} hours')",
                name,
            )
    assert await forget(databases.ledger) == 1
    async with databases.app.tenant("tnt_a") as tx:
        assert [row["key"] for row in await tx.fetch("SELECT key FROM idempotency")] == ["young"]
