"""Another tenant's things answer as if there were none: in each route, filter, body and key."""

import asyncio
import json
import re
from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import pytest
from tests.e2e.conftest import Stack
from tests.e2e.crossing.conftest import PLAIN, POLICY, Theirs

from ai_agent_mesh.api.table import ROUTES, Route
from ai_agent_mesh.kernel.ids import new_id

#: What makes a request whole, so that its answer depends on the object alone.
BODIES: dict[str, object] = {
    "POST /v1/agents/{agent_id}:invoke": {"input": "hello"},
    "PATCH /v1/agents/{agent_id}": {"description": "mine now"},
    "PATCH /v1/users/{user_id}": {"name": "Mine Now"},
    "PATCH /v1/tenants/{tenant_id}": {"tier": "free"},
    "PUT /v1/policies/{name}": {"text": POLICY},
}
#: Parameters of queries that name none, beside those that name one.
HARMLESS = {
    "limit", "cursor", "kind", "label", "health", "name_prefix", "enabled", "state", "since",
    "until", "version", "step_s", "by", "of", "metric", "group_by",
}  # fmt: skip
#: Bodies that name an object, and the fields of any body that do.
REFERENCES: dict[str, tuple[str, object]] = {
    "user_id": ("POST /v1/keys", {"user_id": "{user_id}"}),
    "agent_id": (
        "POST /v1/policies:evaluate",
        {
            "action": "invokeAgent",
            "resource": {"type": "Agent", "id": "{agent_id}", "name": "{name}", "kind": "http"},
        },
    ),
}
#: Answered to operators alone, whoever's object it is; the second is the probe's own.
OPERATORS = "platform:tenants"
PROBES = "GET /v1/probe/runs/{run_id}"
#: What differs between any two answers: ids, moments, figures of time.
VARYING = re.compile(
    r"(req|ent|pol|spn|key|agt|dec|sub)_[0-9a-z]{26}|duration_us.:\d+"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{32}-[0-9a-f]{16}"
)
PASSING = {"mesh-receipt", "x-request-id", "traceparent", "ratelimit"}
SAMPLES = 12
ROUNDS = 4


@pytest.fixture(scope="module")
async def document(stack: Stack) -> dict[str, Any]:
    """Return the published document."""
    async with stack.client() as client:
        return dict((await client.get("/openapi.json")).json())


def absent(objects: dict[str, str]) -> dict[str, str]:
    """Return what objects of these kinds would be called, if there were any."""
    spoken = {"trace_id": "a" * 32, "name": "nowherenever"}
    return {
        kind: spoken.get(kind) or new_id(present.partition("_")[0])
        for kind, present in objects.items()
    }


def named(route: Route) -> set[str]:
    """Return the parameters of a route's path."""
    return set(re.findall(r"\{(\w+)\}", route.template))


async def asked(
    client: httpx.AsyncClient, route: Route, objects: dict[str, str], **headers: str
) -> httpx.Response:
    """Send what the route takes, about these objects."""
    path = route.template.format(**{**PLAIN, **objects})
    body = BODIES.get(route.name, {}) if route.method in {"POST", "PUT", "PATCH"} else None
    return await client.request(route.method, path, json=body, headers=headers)


def told(answer: httpx.Response, objects: dict[str, str]) -> tuple[object, ...]:
    """Return an answer without what tells two equal requests apart."""
    names = re.compile("|".join(map(re.escape, objects.values())))
    headers = {k: names.sub("…", v) for k, v in answer.headers.items() if k not in PASSING}
    headers.pop("content-length", None)
    return answer.status_code, VARYING.sub("…", names.sub("…", answer.text)), headers


def test_every_object_that_a_path_can_name_is_here(theirs: Theirs) -> None:
    for route in ROUTES:
        missing = named(route) - set(theirs.objects) - set(PLAIN)
        assert not missing, f"{route.name} names {missing}: make one in `theirs`"


SENT: tuple[dict[str, str], ...] = (
    {}, {"If-Match": '"1"'}, {"If-Match": '"99"'}, {"If-Match": "*"}, {"Idempotency-Key": "x"},
)  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
async def test_anothers_object_answers_as_if_there_were_none(
    stack: Stack, theirs: Theirs, ours: str, route: Route
) -> None:
    there, nothing = theirs.objects, absent(theirs.objects)
    if route.method == "PUT":  # makes what it names, and ours shall have nothing
        ours = (await stack.tenant_key("crossed-puts", "enterprise"))[1]
    async with stack.client(ours) as client:
        if named(route) & set(there):
            for headers in SENT:
                about_theirs = await asked(client, route, there, **headers)
                about_nothing = await asked(client, route, nothing, **headers)
                assert told(about_theirs, there) == told(about_nothing, nothing)
                if route.permission != OPERATORS and route.method != "PUT":
                    assert about_theirs.status_code == 404, about_theirs.text
            return
        answer = await asked(client, route, there)
    # Our own entries say what we asked for, and that was about theirs.
    text = re.sub(r'\\"(path|object)\\":\\"[^"]*\\"', "", answer.text)
    assert not [value for value in there.values() if value in text]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of everything published."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


async def test_a_filter_by_anothers_object_finds_what_a_filter_by_nothing_finds(
    stack: Stack, theirs: Theirs, ours: str, document: dict[str, Any]
) -> None:
    there, nothing, filtered = theirs.objects, absent(theirs.objects), 0
    kinds = {**{kind: kind for kind in there}, "workflow": "name"}
    async with stack.client(ours) as client:
        for method, path, operation in operations(document):
            for parameter in operation.get("parameters", []):
                name = parameter["name"]
                if parameter["in"] != "query" or name in HARMLESS:
                    continue
                assert name in kinds, f"{method} {path}?{name}: does it name an object?"
                place = path.format(**{**PLAIN, **nothing})
                got = [
                    await client.request(method, place, params={name: each[kinds[name]]})
                    for each in (there, nothing)
                ]
                assert told(got[0], there) == told(got[1], nothing), (path, name)
                assert got[0].status_code == 200, got[0].text
                filtered += 1
    assert filtered > 5


def fields(part: Any, document: dict[str, Any], seen: set[str]) -> Iterator[str]:
    """Yield the names of all properties below a part of the document."""
    if isinstance(part, list):
        for each in part:
            yield from fields(each, document, seen)
    if not isinstance(part, dict):
        return
    reference = str(part.get("$ref", ""))
    if reference and reference not in seen:
        seen.add(reference)
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        yield from fields(schema, document, seen)
    for key, value in part.items():
        if key == "properties":
            yield from value
        yield from fields(value, document, seen)


async def test_a_body_that_names_anothers_object_is_answered_as_if_it_named_none(
    stack: Stack, theirs: Theirs, ours: str, document: dict[str, Any]
) -> None:
    for method, path, operation in operations(document):
        for name in fields(operation.get("requestBody", {}), document, set()):
            assert not name.endswith("_id") or name in REFERENCES, (method, path, name)
    there, nothing = theirs.objects, absent(theirs.objects)
    async with stack.client(ours) as client:
        for request, body in REFERENCES.values():
            method, path = request.split(" ")
            got = []
            for each in (there, nothing):
                text = json.dumps(body)
                for kind, name in each.items():
                    text = text.replace("{" + kind + "}", name)
                headers = {"Content-Type": "application/json"}
                got.append(await client.request(method, path, content=text, headers=headers))
            assert told(got[0], there) == told(got[1], nothing), request
            assert got[0].status_code != 400, got[0].text


async def test_anothers_idempotency_key_is_a_key_of_our_own(stack: Stack, theirs: Theirs) -> None:
    ours = (await stack.tenant_key("crossed-makings", "enterprise"))[1]
    async with stack.client(theirs.key) as owner, stack.client(ours) as client:
        for path, sent in theirs.makings:
            key = {"Idempotency-Key": "crossed" + path}
            again = await owner.post(path, **sent, headers=key)
            assert "idempotency-replayed" in again.headers or again.status_code == 409, again.text
            answer = await client.post(path, **sent, headers=key)
            assert answer.status_code < 300, answer.text
            assert "idempotency-replayed" not in answer.headers
            assert not [each for each in theirs.objects.values()
                        if each in answer.text and each != "acrosstheway"]  # fmt: skip


async def test_anothers_cursor_leads_to_our_own(stack: Stack, theirs: Theirs, ours: str) -> None:
    lists = [
        route.template for route in ROUTES
        if route.method == "GET" and "{" not in route.template and route.permission != OPERATORS
    ]  # fmt: skip
    tried = 0
    async with stack.client(theirs.key) as owner, stack.client(ours) as client:
        for path in lists:
            first = await owner.get(path, params={"limit": 1})
            if b'"next_cursor":"' not in first.content:
                continue
            page = first.json()
            answer = await client.get(path, params={"cursor": page["next_cursor"]})
            assert answer.status_code == 200, answer.text
            text = re.sub(r'\\"(path|object)\\":\\"[^"]*\\"', "", answer.text)
            assert not [each for kind, each in theirs.objects.items()
                        if each in text and kind != "name"]  # fmt: skip
            tried += 1
    assert tried >= 3


async def test_anothers_lock_is_not_waited_for(
    stack: Stack, theirs: Theirs, ours: str, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    locked = ("agent", "app_user", "api_key", "workflow", "run", "approval", "policy", "policy_set")
    async with inside.transaction():
        await inside.execute("SET LOCAL ROLE mesh_app")
        await inside.execute(f"SET LOCAL mesh.tenant_id = '{theirs.tenant}'")
        for table in locked:
            assert await inside.fetch(f"SELECT 1 FROM {table} FOR UPDATE"), table
        async with stack.client(ours) as client, asyncio.timeout(25):
            for route in ROUTES:  # one that waited would wait for us
                if named(route) & set(theirs.objects) and route.method not in {"GET", "PUT"}:
                    answer = await asked(client, route, theirs.objects, **{"If-Match": '"1"'})
                    assert answer.status_code in {403, 404}, answer.text


async def slower(client: httpx.AsyncClient, route: Route, theirs: Theirs) -> float:
    """Return how many times longer the median answer about theirs takes than about nothing."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(SAMPLES):
        for there, times in took.items():
            objects = theirs.objects if there else absent(theirs.objects)
            since = perf_counter()
            await asked(client, route, objects, **{"If-Match": '"1"'})
            times.append(perf_counter() - since)
    return median(took[True]) / median(took[False])


async def test_the_time_of_an_answer_tells_no_more_than_the_answer(
    stack: Stack, theirs: Theirs, ours: str
) -> None:
    routes = [route for route in ROUTES if named(route) & set(theirs.objects)]
    async with stack.client(ours) as client:
        for _ in range(ROUNDS):  # noise passes, a difference stays
            ratios = [(route, await slower(client, route, theirs)) for route in routes]
            routes = [route for route, ratio in ratios if not 1 / 1.5 < ratio < 1.5]
            if not routes:
                return
    assert [route.name for route in routes] == []


async def test_its_owner_is_answered_about_each(stack: Stack, theirs: Theirs) -> None:
    """Run last, for it uses the objects up: so what was sent above was about something."""
    order = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [
        route for route in ROUTES
        if named(route) & set(theirs.objects) and route.permission != OPERATORS
        and route.name != PROBES
    ]  # fmt: skip
    async with stack.client(theirs.key) as client:
        for route in sorted(routes, key=lambda r: (order.index(r.method), r.template)):
            answer = await asked(client, route, theirs.objects, **{"If-Match": "*"})
            assert answer.status_code not in {401, 403, 404, 405, 412, 428}, (route, answer.text)
