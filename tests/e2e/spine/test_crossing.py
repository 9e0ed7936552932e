"""Another tenant's things answer as if there were none: one test over the table of routes."""

import asyncio
import re
from dataclasses import dataclass

import asyncpg
import httpx
import pytest
from tests.conftest import Databases
from tests.e2e.conftest import Stack

from ai_agent_mesh.api.table import ROUTES, Route
from ai_agent_mesh.kernel.ids import new_id

WORKFLOW = """
document: {dsl: '1.0.0', namespace: test, name: acrosstheway, version: 1.0.0}
do: [{ask: {listen: {to: {one: {with: {type: x.approval, data: 1}}}}}}]
"""
POLICY = "permit (principal, action, resource);"
#: What makes a request whole, so that its answer depends on the object alone.
BODIES: dict[str, object] = {
    "POST /v1/agents/{agent_id}:invoke": {"input": "hello"},
    "PATCH /v1/agents/{agent_id}": {"description": "mine now"},
    "PATCH /v1/users/{user_id}": {"name": "Mine Now"},
    "PATCH /v1/tenants/{tenant_id}": {"tier": "free"},
    "PUT /v1/policies/{name}": {"text": POLICY},
}
#: What differs between any two answers: ids, moments, figures of time.
VARYING = re.compile(
    r"(req|ent|pol|spn)_[0-9a-z]{26}|\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{32}-[0-9a-f]{16}"
)
PASSING = {"mesh-receipt", "x-request-id", "traceparent", "ratelimit"}


@dataclass(frozen=True)
class Theirs:
    """One object of each kind, by the name of its parameter, and its tenant's own key."""

    key: str
    tenant: str
    objects: dict[str, str]


@pytest.fixture(scope="module")
async def theirs(stack: Stack) -> Theirs:
    tenant, key = await stack.tenant_key("crossed-theirs", "enterprise")
    async with stack.client(key) as client:

        async def made(path: str, **body: object) -> dict[str, str]:
            answer = await client.post(path, json=body)
            assert answer.status_code < 300, answer.text
            return dict(answer.json())

        agent = await made("/v1/agents", name="crossed", kind="http", url="http://127.0.0.1:9/")
        user = await made("/v1/users", email="c@example.com", name="C", role="viewer")
        issued = await made("/v1/keys", service="crossed", role="viewer")
        hook = {"url": "http://127.0.0.1:9/", "topics": ["maintenance"]}
        subscribed = await made("/v1/subscriptions", **hook)
        assert (await client.post("/v1/workflows", content=WORKFLOW)).status_code == 201
        policy = await client.put("/v1/policies/acrosstheway", json={"text": POLICY})
        assert policy.status_code in {200, 201}, policy.text
        run = await made("/v1/workflows/acrosstheway/runs", input={})
        async with asyncio.timeout(30):
            while not (asked := (await client.get("/v1/approvals")).json()["items"]):
                await asyncio.sleep(0.1)
        spans = (await client.get("/v1/telemetry/spans")).json()["items"]
    return Theirs(
        key,
        tenant,
        {
            "agent_id": agent["id"],
            "user_id": user["id"],
            "key_id": _id_in("key", issued),
            "subscription_id": _id_in("sub", subscribed),
            "tenant_id": tenant,
            "run_id": run["id"],
            "approval_id": asked[0]["id"],
            "trace_id": spans[0]["trace_id"] if spans else "0" * 31 + "1",
            "name": "acrosstheway",
        },
    )


@pytest.fixture(scope="module")
async def ours(stack: Stack) -> str:
    return (await stack.tenant_key("crossed-ours", "enterprise"))[1]


def _id_in(prefix: str, answer: object) -> str:
    found = re.search(prefix + r"_[0-9a-z]{26}", str(answer))
    assert found is not None
    return found[0]


def absent(parameter: str, present: str) -> str:
    """Return what an object of this kind would be called, if there were one."""
    if parameter == "trace_id":
        return "a" * 32
    if parameter == "name":
        return "nowherenever"
    return new_id(present.partition("_")[0])


async def asked(client: httpx.AsyncClient, route: Route, objects: dict[str, str]) -> httpx.Response:
    """Send what the route takes, about these objects."""
    path = re.sub(r"\{(\w+)\}", lambda found: objects.get(found[1], "2026-11"), route.template)
    return await client.request(
        route.method,
        path,
        json=BODIES.get(route.name, {}) if route.method in {"POST", "PUT", "PATCH"} else None,
        headers={"If-Match": '"1"'},
    )


def told(answer: httpx.Response, objects: dict[str, str]) -> tuple[object, ...]:
    """Return an answer without what tells two equal requests apart."""
    headers = {k: v for k, v in answer.headers.items() if k not in PASSING}
    headers.pop("content-length", None)
    named = re.compile("|".join(map(re.escape, objects.values())))
    if "location" in headers:
        headers["location"] = named.sub("…", headers["location"])
    return answer.status_code, named.sub("…", VARYING.sub("…", answer.text)), headers


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_anothers_object_answers_as_if_there_were_none(
    stack: Stack, theirs: Theirs, ours: str, route: Route
) -> None:
    there = theirs.objects
    nothing = {name: absent(name, value) for name, value in there.items()}
    async with stack.client(ours) as client:
        about_theirs = await asked(client, route, there)
        if any("{" + name + "}" in route.template for name in there):
            about_nothing = await asked(client, route, nothing)
            assert told(about_theirs, there) == told(about_nothing, nothing)
    if "{" not in route.template:
        # Our own entries say what we asked for, and that was about theirs.
        text = re.sub(r'\\"(path|object)\\":\\"[^"]*\\"', "", about_theirs.text)
        assert not [value for value in there.values() if value in text]
    if route.method in {"DELETE", "PATCH"} and route.permission != "platform:tenants":
        assert about_theirs.status_code == 404, about_theirs.text


async def test_what_was_asked_for_across_is_still_there(stack: Stack, theirs: Theirs) -> None:
    async with stack.client(theirs.key) as client:
        for path in (
            "agents/{agent_id}",
            "users/{user_id}",
            "runs/{run_id}",
            "policies/{name}",
            "subscriptions/{subscription_id}",
        ):
            answer = await client.get("/v1/" + path.format(**theirs.objects))
            assert answer.status_code == 200, answer.text


TABLES = """
SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
       has_table_privilege('mesh_app', c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
  AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


async def test_without_a_tenant_not_one_row_of_any_table_is_seen(
    theirs: Theirs, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    tables = await inside.fetch(TABLES)
    assert len(tables) > 15
    assert [row["name"] for row in tables if not row["forced"]] == []
    filled = 0
    for table in (row["name"] for row in tables if row["readable"]):
        async with inside.transaction():
            await inside.execute("SET LOCAL ROLE mesh_app")
            count = f"SELECT count(*) FROM \"{table}\" WHERE tenant_id <> 'probe'"  # public
            assert await inside.fetchval(count) == 0, table
            await inside.execute(f"SET LOCAL mesh.tenant_id = '{theirs.tenant}'")
            filled += bool(await inside.fetchval(count))
            await inside.execute("SET LOCAL mesh.tenant_id = ''")
            assert await inside.fetchval(count) == 0, table
    assert filled > 8


async def test_a_connection_forgets_whom_it_read_for(databases: Databases) -> None:
    app = databases.app
    for tenant in ("tnt_a", "tnt_b"):
        async with app.tenant(tenant) as tx:
            await tx.execute("INSERT INTO idempotency (key, request) VALUES ($1, '')", tenant)
    for tenant in ("tnt_a", "tnt_b", "tnt_b", "tnt_a"):
        reading = await app.read(tenant)
        assert [row["key"] for row in await reading.fetch("SELECT key FROM idempotency")] == [
            tenant
        ]
        await app.rollback(reading)
    for tenant in ("tnt_a", "tnt_b", "tnt_b", "tnt_a"):
        reading = await app.read(tenant)
        assert [row["key"] for row in await reading.fetch("SELECT key FROM idempotency")] == [
            tenant
        ]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reading.execute("DELETE FROM idempotency")
        await app.rollback(reading)
        async with app.tenant("tnt_c") as tx:
            assert await tx.fetch("SELECT key FROM idempotency") == []
            await tx.execute("INSERT INTO idempotency (key, request) VALUES ('k', '')")
            await tx.execute("DELETE FROM idempotency")
        async with app.transaction() as tx:
            assert await tx.fetch("SELECT key FROM idempotency") == []
        reading = await app.read(tenant)
        await app.rollback(reading)
        assert await app.execute("SELECT key FROM idempotency") == 0
    assert app.in_use == 0
    assert app._pool.get_size() == 1
