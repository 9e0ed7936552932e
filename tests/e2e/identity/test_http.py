"""Identity through the real door: callers, keys, users, tenants, limits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.conftest import Databases

from ai_agent_mesh.api.app import build
from ai_agent_mesh.product.identity import (
    PLATFORM_TENANT,
    Account,
    Role,
    Users,
    keys_in,
    open_account,
)
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh


@dataclass(frozen=True)
class House:
    """A running house and a client at its door."""

    mesh: Mesh
    client: httpx.AsyncClient

    async def account(self, name: str, tier: str = "enterprise") -> Account:
        """Open an account the way an operator does."""
        async with self.mesh.app.tenant(PLATFORM_TENANT) as tx:
            return await open_account(
                self.mesh, tx, name, tier, email=f"owner@{name}.example", person="Ada"
            )

    async def operator(self) -> str:
        """Return the key of a platform operator."""
        async with self.mesh.app.tenant(PLATFORM_TENANT) as tx:
            users = Users(tx, self.mesh.clock)
            user = await users.create("op@platform.example", "Op", "owner", by=Role.OWNER)
            return (await keys_in(self.mesh, tx).issue_to_user(user.id, by=Role.OWNER)).text

    async def call(
        self, key: str, method: str, path: str, json: object = None, **headers: str
    ) -> httpx.Response:
        """Send one request with a key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["authorization"] = f"Bearer {key}"
        return await self.client.request(method, path, json=json, headers=named)


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    """Open the house on a fresh database."""
    settings = Settings(data=tmp_path, database_url=databases.url)
    async with Mesh.open(settings) as mesh:
        transport = httpx.ASGITransport(build(mesh))
        async with httpx.AsyncClient(transport=transport, base_url="http://mesh") as client:
            yield House(mesh, client)


async def test_a_caller_is_told_who_they_are(house: House) -> None:
    account = await house.account("acme")
    answer = await house.call(account.issued.text, "GET", "/v1/auth/whoami")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["tenant_id"] == account.tenant.id
    assert (said["role"], said["tier"]) == ("owner", "enterprise")
    assert "keys:write" in said["permissions"]
    assert not [p for p in said["permissions"] if p.startswith("platform:")]
    assert said["key_expires_soon"] is False
    assert "mesh-receipt" in answer.headers


async def test_no_bad_key_is_told_from_another(house: House) -> None:
    answers = set()
    for value in (None, b"", b"Bearer x", b"Bearer \xff\x00", b"Basic eDp5"):
        headers = [] if value is None else [(b"authorization", value)]
        answer = await house.client.get("/v1/auth/whoami", headers=headers)
        body = answer.json()
        body.pop("instance", None)
        answers.add((answer.status_code, str(body)))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


async def test_a_key_is_issued_listed_used_and_revoked(house: House) -> None:
    account = await house.account("acme")
    owner = account.issued.text
    body = {"service": "ci", "role": "developer", "valid_for_s": 3600}
    issued = await house.call(owner, "POST", "/v1/keys", body)
    assert issued.status_code == 201, issued.text
    text, key_id = issued.json()["text"], issued.json()["key"]["id"]
    assert issued.json()["key"]["expires_soon"] is True
    assert (await house.call(text, "GET", "/v1/auth/whoami")).json()["actor_id"] == key_id
    assert (await house.call(text, "POST", "/v1/keys", body)).status_code == 403
    listed = (await house.call(owner, "GET", "/v1/keys?limit=1")).json()
    assert len(listed["items"]) == 1
    rest = (await house.call(owner, "GET", f"/v1/keys?cursor={listed['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [key_id]
    assert rest["next_cursor"] is None
    assert text not in str(listed) + str(rest)
    revoked = await house.call(owner, "DELETE", f"/v1/keys/{key_id}")
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert (await house.call(text, "GET", "/v1/auth/whoami")).status_code == 401
    assert (await house.call(owner, "DELETE", "/v1/keys/key_nope")).status_code == 404


async def test_a_third_live_key_is_a_conflict(house: House) -> None:
    account = await house.account("acme")
    owner = account.issued.text
    answers = await asyncio.gather(*(house.call(owner, "POST", "/v1/keys", {}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_anybody_may_replace_their_own_key(house: House) -> None:
    account = await house.account("acme")
    async with house.mesh.app.tenant(account.tenant.id) as tx:
        await Users(tx, house.mesh.clock).create("v@acme.example", "V", "viewer", by=Role.OWNER)
        viewer = (await keys_in(house.mesh, tx).issue_to_user("v@acme.example", by=Role.OWNER)).text
    second = await house.call(viewer, "POST", "/v1/auth/rotate")
    assert second.status_code == 201, second.text
    said = (await house.call(second.json()["text"], "GET", "/v1/auth/whoami")).json()
    assert said["role"] == "viewer"
    assert (await house.call(viewer, "POST", "/v1/auth/rotate")).status_code == 409


async def test_mistakes_in_a_body_are_named(house: House) -> None:
    owner = (await house.account("acme")).issued.text
    bodies: list[object] = [
        {"service": "ci"},
        {"role": "viewer"},
        {"user_id": "usr_x", "service": "ci", "role": "viewer"},
        {"valid_for_s": 10**9},
        {"valid_for_s": -1},
        {"unknown": 1},
        [],
        "text",
    ]
    for body in bodies:
        answer = await house.call(owner, "POST", "/v1/keys", body)
        assert answer.status_code == 400, (body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    answer = await house.call(
        owner, "POST", "/v1/users", {"email": "x", "name": "", "role": "king"}
    )
    assert [e["place"] for e in answer.json()["errors"]] == ["/email", "/name", "/role"]


async def test_a_user_is_added_changed_by_version_and_removed(house: House) -> None:
    account = await house.account("acme")
    owner = account.issued.text
    body = {"email": "dev@acme.example", "name": "Dev", "role": "developer"}
    made = await house.call(owner, "POST", "/v1/users", body)
    assert made.status_code == 201, made.text
    path, etag = f"/v1/users/{made.json()['id']}", made.headers["etag"]
    assert (await house.call(owner, "POST", "/v1/users", body)).status_code == 409
    assert (await house.call(owner, "PATCH", path, {"role": "viewer"})).status_code == 428
    changed = await house.call(owner, "PATCH", path, {"role": "viewer"}, if_match=etag)
    assert (changed.status_code, changed.json()["role"]) == (200, "viewer"), changed.text
    late = await house.call(owner, "PATCH", path, {"role": "admin"}, if_match=etag)
    assert late.status_code == 412
    assert (await house.call(owner, "GET", path)).headers["etag"] == changed.headers["etag"]
    assert (await house.call(owner, "DELETE", path)).status_code == 204
    assert (await house.call(owner, "GET", path)).status_code == 404
    last = await house.call(owner, "DELETE", f"/v1/users/{account.owner.id}")
    assert last.status_code == 409


async def test_only_the_platform_makes_and_sees_tenants(house: House) -> None:
    acme = (await house.account("acme")).issued.text
    for method, path in (
        ("GET", "/v1/tenants"),
        ("POST", "/v1/tenants"),
        ("GET", "/v1/tenants/platform"),
        ("PATCH", "/v1/tenants/platform"),
    ):
        assert (await house.call(acme, method, path, {})).status_code == 403
    operator = await house.operator()
    body = {
        "name": "bolt",
        "tier": "professional",
        "monthly_fee": {"amount": "99.90", "currency": "EUR"},
        "owner": {"email": "o@bolt.example", "name": "O"},
    }
    made = await house.call(operator, "POST", "/v1/tenants", body)
    assert made.status_code == 201, made.text
    bolt, tenant = made.json()["issued"]["text"], made.json()["tenant"]
    own = await house.call(bolt, "GET", "/v1/tenant")
    assert own.json()["tenant"] == tenant
    assert own.json()["tenant"]["monthly_fee"] == body["monthly_fee"]
    assert own.json()["allowed"] == {"requests_per_minute": 600, "fair_use": False}
    names = [t["name"] for t in (await house.call(operator, "GET", "/v1/tenants")).json()["items"]]
    assert names == ["platform", "probe", "acme", "bolt"]
    path = f"/v1/tenants/{tenant['id']}"
    etag = (await house.call(operator, "GET", path)).headers["etag"]
    moved = await house.call(
        operator, "PATCH", path, {"tier": "free", "monthly_fee": None}, if_match=etag
    )
    assert (moved.status_code, moved.json()["tier"], moved.json()["monthly_fee"]) == (
        200, "free", None,
    )  # fmt: skip
    assert (await house.call(bolt, "GET", "/v1/auth/whoami")).json()["tier"] == "free"
    assert (await house.call(operator, "POST", "/v1/tenants", body)).status_code == 409
    assert (await house.call(operator, "GET", "/v1/tenants/tnt_nope")).status_code == 404


async def test_a_free_tenant_runs_into_its_limit(house: House) -> None:
    limit = house.mesh.playbook.tiers["free"].requests_per_minute
    assert limit is not None
    key = (await house.account("acme", "free")).issued.text
    answers = [await house.call(key, "GET", "/v1/auth/whoami") for _ in range(limit + 3)]
    assert [a.status_code for a in answers] == [200] * limit + [429] * 3
    assert answers[0].headers["ratelimit"].startswith(f'"default";r={limit - 1};t=')
    assert answers[0].headers["ratelimit-policy"] == f'"default";q={limit};w=60'
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "retry-after" not in answers[0].headers
    other = (await house.account("bolt", "free")).issued.text
    assert (await house.call(other, "GET", "/v1/auth/whoami")).status_code == 200
