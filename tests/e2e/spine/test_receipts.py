"""Every answer carries the receipt of exactly one entry; a change is in with its entry."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from tests.e2e.conftest import Stack
from tests.e2e.spine.conftest import booked

HTTP_AGENT = {"kind": "http", "url": "http://127.0.0.1:9/"}
WORKFLOW = """
document: {dsl: '1.0.0', namespace: n, name: receipts, version: 1.0.0}
do: [{a: {set: {b: 1}}}]
"""


async def answers(client: httpx.AsyncClient) -> AsyncIterator[httpx.Response]:
    """Send one request for each kind of answer."""
    yield await client.get("/v1/agents")
    yield await client.post("/v1/agents", json={**HTTP_AGENT, "name": "receipts"})
    yield await client.post("/v1/workflows", content=WORKFLOW)
    yield await client.post("/v1/workflows/receipts/runs", json={})
    yield await client.delete("/v1/workflows/receipts")
    yield await client.head("/v1/agents")
    yield await client.post("/v1/agents", json={"name": 7})
    yield await client.get("/v1/agents", headers={"Authorization": "Bearer nobody"})
    yield await client.get("/v1/tenants")
    yield await client.get("/v1/nothing")
    yield await client.get("/v1//agents")
    yield await client.put("/v1/agents", json={})
    yield await client.post("/v1/agents", json={**HTTP_AGENT, "name": "receipts"})
    yield await client.post("/v1/agents", content=b" " * 10_000_001)
    yield await client.post(
        "/v1/agents", content=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    yield await client.get("/v1/agents", headers=[(f"x-{i}", "y") for i in range(300)])


async def test_every_answer_has_a_receipt_and_exactly_one_call(
    stack: Stack, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    _, key = await stack.tenant_key("receipts", "professional")
    seen = set()
    async with stack.client(key) as client:
        async for answer in answers(client):
            seen.add(answer.status_code)
            assert "mesh-receipt" in answer.headers, (answer.request.url, answer.status_code)
            entry = await booked(inside, answer.headers["mesh-receipt"])
            assert (entry["kind"], entry["status"]) == ("call", answer.status_code)
            assert entry["request_id"] == answer.headers["x-request-id"]
    assert seen == {200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 431}


async def test_a_call_past_the_limit_has_its_receipt_too(
    stack: Stack, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    _, key = await stack.tenant_key("receipts-free", "free")
    async with stack.client(key) as client:
        while (answer := await client.get("/v1/tenant")).status_code == 200:
            pass
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    entry = await booked(inside, answer.headers["mesh-receipt"])
    assert (entry["status"], entry["fault"]) == (429, "quota")


DOOMED = """
CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {condition} THEN RAISE EXCEPTION 'doomed'; END IF;
  RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER doom AFTER INSERT ON {table} DEFERRABLE INITIALLY {when}
  FOR EACH ROW EXECUTE FUNCTION doom();
"""
OF_ENTRY = """convert_from(NEW.bytes, 'utf8') LIKE '%"request_id":"doomed"%'
  AND convert_from(NEW.bytes, 'utf8') LIKE '%"status":201%'"""


@pytest.mark.parametrize(
    ("table", "condition", "when"),
    [
        ("agent", "NEW.name = 'doomed'", "DEFERRED"),
        ("ledger_inbox", OF_ENTRY, "IMMEDIATE"),
        ("ledger_inbox", OF_ENTRY, "DEFERRED"),
    ],
    ids=["the effect fails at commit", "the entry fails", "the entry fails at commit"],
)
async def test_neither_the_effect_nor_its_entry_stands_alone(
    stack: Stack,
    inside: "asyncpg.Connection[asyncpg.Record]",
    table: str,
    condition: str,
    when: str,
) -> None:
    await inside.execute(DOOMED.format(table=table, condition=condition, when=when))
    try:
        async with stack.client() as client:
            answer = await client.post(
                "/v1/agents",
                json={**HTTP_AGENT, "name": "doomed"},
                headers={"X-Request-Id": "doomed", "Idempotency-Key": "doomed"},
            )
            listed = (await client.get("/v1/agents", params={"name_prefix": "doomed"})).json()
    finally:
        await inside.execute(f"DROP TRIGGER doom ON {table}; DROP FUNCTION doom()")
    assert answer.status_code == 500
    assert listed["items"] == []
    entry = await booked(inside, answer.headers["mesh-receipt"])
    assert (entry["status"], entry["fault"]) == (500, "platform")
    async with inside.transaction():
        await inside.execute("SET LOCAL ROLE mesh_operations")
        assert await inside.fetchval("SELECT count(*) FROM idempotency WHERE key = 'doomed'") == 0


async def test_a_flood_of_strangers_is_told_by_one_entry_a_second(
    stack: Stack, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    sent = 150
    async with httpx.AsyncClient(base_url=stack.api) as client:
        await asyncio.sleep(1.1)
        began = await inside.fetchval("SELECT now()")
        got = [await client.get("/v1/flooded") for _ in range(sent)]
    assert {answer.status_code for answer in got} == {401}
    await asyncio.sleep(2.2)
    async with inside.transaction():
        await inside.execute("SET LOCAL ROLE mesh_operations")
        rows = await inside.fetch(
            """SELECT convert_from(bytes, 'utf8')::jsonb -> 'detail' ->> 'count' AS stands_for
               FROM ledger_entry WHERE tenant_id = 'platform' AND at >= $1
               AND convert_from(bytes, 'utf8')::jsonb ->> 'client' = '127.0.0.1'
               AND convert_from(bytes, 'utf8')::jsonb ->> 'reason' = 'key-refused'""",
            began,
        )
    standing = [int(row["stands_for"]) for row in rows if row["stands_for"]]
    alone = len(rows) - len(standing)
    assert standing
    assert alone == sum("mesh-receipt" in answer.headers for answer in got)
    assert alone + sum(standing) == sent
    assert len(rows) < sent / 2
