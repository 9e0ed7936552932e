"""Two tenants: one that has one of everything, and one that has nothing."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.e2e.conftest import Stack
from tests.e2e.spine.conftest import inside

from ai_agent_mesh.kernel.ids import new_id

__all__ = ["PLAIN", "POLICY", "Theirs", "inside", "ours", "theirs"]

WORKFLOW = """
document: {dsl: '1.0.0', namespace: test, name: acrosstheway, version: 1.0.0}
do: [{ask: {listen: {to: {one: {with: {type: x.approval, data: 1}}}}}}]
"""
#: Parameters of paths that name no object.
PLAIN = {"month": "2026-11", "maintenance_id": "mnt_everybodys", "incident_id": "inc_everybodys"}
POLICY = "permit (principal, action, resource);"


@dataclass(frozen=True)
class Theirs:
    """One object of each kind, by the name of its parameter, and its tenant's own key."""

    key: str
    tenant: str
    objects: dict[str, str]
    #: What made them, each under the Idempotency-Key `crossed`.
    makings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture(scope="session")
async def theirs(stack: Stack) -> Theirs:
    """Make a tenant that has one of everything."""
    tenant, key = await stack.tenant_key(new_id("theirs"), "enterprise")
    makings: list[tuple[str, dict[str, Any]]] = []
    async with stack.client(key) as client:

        async def made(path: str, **sent: Any) -> dict[str, Any]:
            makings.append((path, sent))
            answer = await client.post(path, **sent, headers={"Idempotency-Key": "crossed" + path})
            assert answer.status_code < 300, answer.text
            return dict(answer.json())

        agent = {"name": "crossed", "kind": "http", "url": "http://127.0.0.1:9/"}
        objects = {"tenant_id": tenant, "name": "acrosstheway"}
        objects["agent_id"] = (await made("/v1/agents", json=agent))["id"]
        user = {"email": "c@example.com", "name": "C", "role": "viewer"}
        objects["user_id"] = (await made("/v1/users", json=user))["id"]
        issued = await made("/v1/keys", json={"service": "crossed", "role": "viewer"})
        objects["key_id"] = issued["key"]["id"]
        hook = {"url": "http://127.0.0.1:9/", "topics": ["maintenance"]}
        subscribed = str(await made("/v1/subscriptions", json=hook))
        objects["subscription_id"] = re.findall(r"sub_[0-9a-z]{26}", subscribed)[0]
        await made("/v1/workflows", content=WORKFLOW)
        policy = await client.put("/v1/policies/acrosstheway", json={"text": POLICY})
        assert policy.status_code in {200, 201}, policy.text
        objects["run_id"] = (await made("/v1/workflows/acrosstheway/runs", json={"input": {}}))[
            "id"
        ]
        async with asyncio.timeout(30):
            while not (asked := (await client.get("/v1/approvals")).json()["items"]):
                await asyncio.sleep(0.1)
        objects["approval_id"] = asked[0]["id"]
        assert (await client.post("/v1/agents/crossed:invoke", json={"input": ""})).is_error
        objects["trace_id"] = (await client.get("/v1/telemetry/spans")).json()["items"][0][
            "trace_id"
        ]
    return Theirs(key, tenant, objects, makings)


@pytest.fixture(scope="session")
async def ours(stack: Stack) -> str:
    """Return the key of a tenant that has nothing."""
    return (await stack.tenant_key("crossed-ours", "enterprise"))[1]
