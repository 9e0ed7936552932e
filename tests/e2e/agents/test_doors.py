"""Agents through the real doors: HTTP and the command line, over the whole system."""

import json
from collections.abc import Iterator

import httpx
import pytest
from tests.contract.agents.processes import running
from tests.e2e.conftest import Stack

SECRET = "open-sesame"


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    with running("tests.contract.agents.honest") as url:
        yield url


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    with running("tests.contract.agents.hostile") as url:
        yield url


async def registered(client: httpx.AsyncClient, **body: object) -> dict[str, object]:
    """Register an agent and return it."""
    answer = await client.post("/v1/agents", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


async def test_an_agent_is_registered_read_listed_changed_invoked_and_removed(
    stack: Stack, honest: str
) -> None:
    async with stack.client() as client:
        made = await client.post(
            "/v1/agents",
            json={
                "kind": "a2a",
                "url": honest,
                "name": "door-turner",
                "labels": {"team": "doors"},
                "credential": {"value": SECRET},
                "price": {"input_per_1k": "0.5", "output_per_1k": "2"},
            },
        )
        assert made.status_code == 201, made.text
        assert made.headers["etag"] == '"1"'
        body = made.json()
        assert body["credential"] == {"set": True}
        assert SECRET not in made.text
        assert body["card"]["name"] == "Turner"
        place = f"/v1/agents/{body['id']}"
        read = await client.get(place)
        assert read.json() == body
        query = {"label": ["team=doors"], "kind": "a2a", "name_prefix": "door"}
        listed = await client.get("/v1/agents", params=query)
        assert [agent["id"] for agent in listed.json()["items"]] == [body["id"]]
        assert "card" not in listed.json()["items"][0]
        late = await client.patch(place, json={"description": "x"}, headers={"If-Match": '"9"'})
        assert late.status_code == 412
        bare = await client.patch(place, json={"description": "x"})
        assert bare.status_code == 428
        changed = await client.patch(
            place, json={"description": None, "labels": {"a": "b"}}, headers={"If-Match": '"1"'}
        )
        assert changed.json()["labels"] == {"a": "b", "team": "doors"}
        assert changed.headers["etag"] == '"2"'
        answer = await client.post(f"{place}:invoke", json={"input": "stressed"})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["output"], said["text"]) == ({"echo": "desserts"}, "desserts")
        assert said["usage"] == {"input_tokens": 7, "output_tokens": 3}
        assert (said["cost"], said["attempts"]) == ("0.0095", 1)
        assert said["trace_id"] in answer.headers["traceparent"]
        assert answer.headers["mesh-receipt"]
        traced = await client.get(f"/v1/telemetry/traces/{said['trace_id']}")
        names = {span["name"] for span in traced.json()["spans"]}
        assert "invoke_agent door-turner" in names
        refreshed = await client.post(f"{place}:refresh")
        assert refreshed.status_code == 200
        gone = await client.delete(place, headers={"If-Match": '"2"'})
        assert gone.status_code == 204
        assert (await client.get(place)).status_code == 404


async def test_every_mistake_is_named_at_once(stack: Stack) -> None:
    wrong = {"kind": "http", "url": "ftp://x", "name": "no spaces", "labels": {"A": "b"}}
    async with stack.client() as client:
        answer = await client.post("/v1/agents", json=wrong)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        places = {error["place"] for error in answer.json()["errors"]}
        assert places == {"/url", "/name", "/labels/A"}
        filters = await client.get("/v1/agents", params={"kind": "x", "health": "y", "label": "z"})
        assert {error["place"] for error in filters.json()["errors"]} == {"kind", "health", "label"}


async def test_a_repeated_registration_with_one_key_makes_one_agent(
    stack: Stack, honest: str
) -> None:
    body = {"kind": "a2a", "url": honest, "name": "only-once"}
    async with stack.client() as client:
        headers = {"Idempotency-Key": "register-only-once"}
        first = await client.post("/v1/agents", json=body, headers=headers)
        again = await client.post("/v1/agents", json=body, headers=headers)
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        taken = await client.post("/v1/agents", json=body)
        assert taken.status_code == 409


async def test_another_tenant_sees_nothing_of_an_agent(stack: Stack, honest: str) -> None:
    _, key = await stack.tenant_key("Agents next door", "professional")
    async with stack.client() as client, stack.client(key) as other:
        made = await registered(client, kind="a2a", url=honest, name="mine")
        for method, path in (
            ("GET", f"/v1/agents/{made['id']}"),
            ("DELETE", f"/v1/agents/{made['id']}"),
            ("POST", f"/v1/agents/{made['id']}:invoke"),
            ("POST", "/v1/agents/mine:invoke"),
        ):
            answer = await other.request(method, path, json={"input": "x"})
            assert answer.status_code == 404, (method, path, answer.text)
        assert (await other.get("/v1/agents")).json()["items"] == []


async def test_a_forbidden_invocation_says_by_which_policy(stack: Stack, honest: str) -> None:
    async with stack.client() as client:
        labels = {"restricted": "true"}
        await registered(client, kind="a2a", url=honest, name="locked", labels=labels)
        answer = await client.post("/v1/agents/locked:invoke", json={"input": "x"})
    assert answer.status_code == 403
    assert answer.json()["policies"] == ["restricted-agents"]


async def test_an_agents_failure_is_the_upstreams_fault(stack: Stack, hostile: str) -> None:
    async with stack.client() as client:
        for name, status, kind in (
            ("hang", 504, "/problems/answer-timed-out"),
            ("half", 502, "/problems/connection-broken"),
            ("garbage", 502, "/problems/answer-unreadable"),
        ):
            await registered(client, kind="http", url=f"{hostile}/{name}", name=f"bad-{name}")
            answer = await client.post(
                f"/v1/agents/bad-{name}:invoke", json={"input": "x", "timeout_s": 0.5}
            )
            assert answer.status_code == status, answer.text
            assert answer.json()["type"] == kind
            assert answer.json()["attempts"] == 1


async def test_the_address_of_a_metadata_service_is_refused(stack: Stack) -> None:
    async with stack.client() as client:
        inward = {"kind": "a2a", "url": "http://169.254.169.254/", "name": "meta"}
        answer = await client.post("/v1/agents", json=inward)
        assert answer.status_code == 403
        assert "metadata" in answer.json()["detail"]


async def test_the_command_line_does_the_same(stack: Stack, honest: str) -> None:
    of = ("--tenant", stack.tenant)
    env = {**stack.env, "TURNER_KEY": SECRET}
    console = Stack(stack.data, stack.api, stack.status, stack.docs, stack.tenant, stack.key, env)
    out = await console.run(
        "agent", "register", honest, *of, "--name", "console-turner", "--label", "by=console",
        "--credential-from", "TURNER_KEY", "--json",
    )  # fmt: skip
    made = json.loads(out)
    assert made["credential"] == {"set": True}
    listed = json.loads(await console.run("agent", "list", *of, "--label", "by=console", "--json"))
    assert [agent["id"] for agent in listed] == [made["id"]]
    said = await console.run("agent", "invoke", "console-turner", "stressed", *of)
    assert said == "desserts\n"
    updated = await console.run("agent", "update", "console-turner", *of, "--label", "by=")
    assert "version 2" in updated
    shown = json.loads(await console.run("agent", "show", made["id"], *of, "--json"))
    assert shown["labels"] == {}
    assert "removed" in await console.run("agent", "delete", made["id"], *of)
    missing = await console.run("agent", "show", made["id"], *of, status=1)
    assert missing == f"mesh: There is no agent {made['id']}.\n"
