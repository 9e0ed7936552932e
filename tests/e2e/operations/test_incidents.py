"""Incidents: each act with its ledger entry or not at all, through the public doors and the console."""  # noqa: E501

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from tests.conftest import Databases
from tests.e2e.conftest import Stack

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.incidents import (
    Change,
    Draft,
    Incident,
    IncidentInvalid,
    IncidentMissing,
    Incidents,
    PlatformAlone,
    Resolution,
)
from ai_agent_mesh.playbook import Severity, default
from ai_agent_mesh.sla import Service

Json = dict[str, Any]  # what others wrote, in JSON
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
DRAFT = Draft(title="Slow", severity=Severity.SEV2, services=[Service.API])
BODY = {
    "title": "Runs start late",
    "severity": "sev2",
    "services": ["orchestration", "api"],
    "began_at": (datetime.now(UTC) - timedelta(minutes=9)).isoformat(),
}


async def opened(databases: Databases, draft: Draft = DRAFT, moment: datetime = NOON) -> Incident:
    """Open an incident as an operator does."""
    async with databases.app.tenant("platform") as tx:
        return await Incidents(tx, default(), FixedClock(moment), "usr_1").open(draft)


async def test_an_act_and_its_entry_are_there_together_or_not_at_all(databases: Databases) -> None:
    with pytest.raises(RuntimeError, match="after the act"):
        await broken_off(databases)
    assert await counts(databases) == (0, 0, 0)
    await opened(databases)
    assert await counts(databases) == (1, 1, 1)


async def broken_off(databases: Databases) -> None:
    """Open an incident in a transaction that comes to nothing."""
    async with databases.app.tenant("platform") as tx:
        await Incidents(tx, default(), FixedClock(NOON), "usr_1").open(DRAFT)
        raise RuntimeError("after the act")


async def counts(databases: Databases) -> tuple[int, int, int]:
    """Return how many incidents, acts and waiting entries there are."""
    async with databases.operations.transaction() as tx:
        return (
            await tx.fetchval("SELECT count(*) FROM incident"),
            await tx.fetchval("SELECT count(*) FROM incident_act"),
            await tx.fetchval("SELECT count(*) FROM ledger_inbox WHERE tenant_id = 'platform'"),
        )


async def test_nobody_but_the_platform_acts_whatever_asks_the_database(
    databases: Databases,
) -> None:
    one = await opened(databases)
    async with databases.app.tenant("tnt_1") as tx:
        incidents = Incidents(tx, default(), FixedClock(NOON), "usr_2")
        assert await incidents.get(one.id) == one
        with pytest.raises(PlatformAlone):
            await incidents.open(DRAFT)
        with pytest.raises(PlatformAlone):
            await incidents.update(one.id, Change(title="Mine"), "*")
        with pytest.raises(PlatformAlone):
            await incidents.resolve(one.id, Resolution(cause="Mine"))
        assert await tx.execute("UPDATE incident SET title = 'Mine'") == 0
    added = "INSERT INTO incident_act VALUES ($1, 2, 'incident.update', now(), 'x', 'x', '{}')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with databases.app.tenant("tnt_1") as tx:
            await tx.execute(added, one.id)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE incident SET version = 2", asyncpg.ForeignKeyViolationError),
        ("UPDATE incident_act SET said = '{}'", asyncpg.InsufficientPrivilegeError),
        ("DELETE FROM incident_act", asyncpg.InsufficientPrivilegeError),
        ("DELETE FROM incident", asyncpg.InsufficientPrivilegeError),
    ],
)
async def test_what_was_said_is_never_altered_nor_changed_without_an_act(
    databases: Databases, statement: str, error: type[Exception]
) -> None:
    await opened(databases)
    with pytest.raises(error):
        async with databases.app.tenant("platform") as tx:
            await tx.execute(statement)


async def test_of_two_acts_at_once_each_follows_the_other(databases: Databases) -> None:
    one = await opened(databases)

    async def update(title: str) -> Incident:
        async with databases.app.tenant("platform") as tx:
            incidents = Incidents(tx, default(), FixedClock(NOON), "usr_1")
            return await incidents.update(one.id, Change(title=title), "*")

    done = await asyncio.gather(*(update(f"Slow {n}") for n in range(4)))
    assert sorted(after.version for after in done) == [2, 3, 4, 5]
    async with databases.app.tenant("tnt_1") as tx:
        incidents = Incidents(tx, default(), FixedClock(NOON))
        acts = await incidents.history(one.id)
        last = await incidents.get(one.id)
    assert [act.ordinal for act in acts] == [1, 2, 3, 4, 5]
    assert len({act.at for act in acts}) == 5
    assert (last.version, last.title) == (5, acts[-1].said["title"])


async def test_an_alert_that_is_not_there_and_an_incident_that_is_not_there_are_named(
    databases: Databases,
) -> None:
    with pytest.raises(IncidentInvalid) as caught:
        await opened(databases, Draft(**{**as_dict(DRAFT), "alert": "alr_nowhere"}))
    assert [fault.place for fault in caught.value.faults] == ["/alert"]
    async with databases.app.tenant("platform") as tx:
        for name in ("inc_nowhere", "inc_\0"):
            with pytest.raises(IncidentMissing):
                await Incidents(tx, default(), FixedClock(NOON)).get(name)


def as_dict(draft: Draft) -> Json:
    """Return what a draft says."""
    return {"title": draft.title, "severity": draft.severity, "services": draft.services}


@pytest.fixture(scope="module")
async def operator(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    words = ("key", "create", "--tenant", "platform", "--service", "desk", "--role", "operator")
    async with stack.client((await stack.run(*words)).strip()) as client:
        yield client


async def test_an_incident_is_opened_changed_resolved_and_read_by_everybody(
    stack: Stack, operator: httpx.AsyncClient
) -> None:
    key = {"Idempotency-Key": "incident-one"}
    answer = await operator.post("/v1/incidents", json=BODY, headers=key)
    one, tag = answer.json(), answer.headers["etag"]
    assert (answer.status_code, one["stage"], one["severity_title"]) == (201, "detection", "High")
    assert one["services"] == ["api", "orchestration"]
    again = await operator.post("/v1/incidents", json=BODY, headers=key)
    assert (again.json()["id"], again.headers["etag"]) == (one["id"], tag)
    place = f"/v1/incidents/{one['id']}"
    change = {"severity": "sev1", "stage": "mitigation"}
    assert (await operator.patch(place, json=change)).status_code == 428
    changed = await operator.patch(place, json=change, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["severity_title"]) == (200, "Critical")
    assert (await operator.patch(place, json=change, headers={"If-Match": tag})).status_code == 412
    end = {"cause": "A disk was full."}
    stale = await operator.post(f"{place}:resolve", json=end, headers={"If-Match": tag})
    assert stale.status_code == 412
    done = await operator.post(f"{place}:resolve", json=end)
    assert (done.status_code, done.json()["stage"]) == (200, "resolution")
    assert (await operator.post(f"{place}:resolve", json=end)).status_code == 409
    amended = {"cause": "Logs filled a disk."}
    tag = done.headers["etag"]
    assert (await operator.patch(place, json=amended, headers={"If-Match": tag})).status_code == 200
    async with stack.client() as customer:
        told = (await customer.get(place)).json()
        listed = (await customer.get("/v1/incidents", params={"limit": 1})).json()["items"]
        assert listed == [{k: v for k, v in told.items() if k != "history"}]
        assert (told["cause"], told["opened_by"], told["alert"]) == (amended["cause"], None, None)
        assert [act["said"].get("cause") for act in told["history"]] == [
            None, None, end["cause"], amended["cause"],
        ]  # fmt: skip
        assert {act["by"] for act in told["history"]} == {None}
        for method, path, body in (
            ("POST", "/v1/incidents", BODY),
            ("PATCH", place, amended),
            ("POST", f"{place}:resolve", end),
        ):
            assert (await customer.request(method, path, json=body)).status_code == 403
    inside = (await operator.get(place)).json()
    assert inside["opened_by"] == inside["history"][0]["by"]
    assert inside["opened_by"].startswith("key_") or inside["opened_by"].startswith("usr_")
    entries = await acts(operator, one["id"], 4)
    assert [entry["id"] for entry in entries] == [act["entry"] for act in told["history"]]
    assert [entry["detail"]["act"] for entry in entries] == [
        "incident.open", "incident.update", "incident.resolve", "incident.update",
    ]  # fmt: skip


async def acts(client: httpx.AsyncClient, incident: str, many: int) -> list[Json]:
    """Return the entries about one incident once there are so many, in their order."""
    async with asyncio.timeout(30):
        while True:
            answer = await client.get("/v1/ledger/entries", params={"limit": 200})
            entries = [json.loads(one["text"]) for one in answer.json()["items"]]
            found = [e for e in entries if e.get("object") == incident and e["kind"] == "act"]
            if len(found) == many:
                return sorted(found, key=lambda entry: str(entry["at"]))
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"severity": "sev9"}, "severity"),
        ({"services": ["billing"]}, "services"),
        ({"services": []}, "/services"),
        ({"began_at": "2026-11-05T10:00:00"}, "began_at"),
        ({"began_at": "2999-01-01T00:00:00Z"}, "/began_at"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"opened_by": "usr_me"}, "opened_by"),
    ],
)
async def test_a_mistake_is_told_with_its_place(
    operator: httpx.AsyncClient, change: Json, place: str
) -> None:
    answer = await operator.post("/v1/incidents", json=BODY | change)
    assert answer.status_code == 400, answer.text
    (fault,) = answer.json()["errors"]
    assert place in fault["place"] + fault["reason"]


async def test_the_console_opens_updates_resolves_and_shows(stack: Stack) -> None:
    words = ("incident", "open", "Policies answer late", "--severity", "sev3")
    one = (await stack.run(*words, "--service", "governance")).strip()
    said = await stack.run("incident", "update", one, "--stage", "triage", "--title", "Late")
    assert said.strip() == f"{one} stands at triage"
    done = await stack.run("incident", "resolve", one, "--cause", "A lock.", "--json")
    assert json.loads(done)["cause"] == "A lock."
    assert f"{one}  sev3      resolution" in await stack.run("incident", "list")
    shown = await stack.run("incident", "show", one)
    assert "incident.update by console:" in shown
    assert "title 'Policies answer late'" in shown
    wrong = await stack.run(*words, "--service", "billing", status=1)
    assert wrong.endswith(": --service: Invalid enum value 'billing'\n")
    assert wrong.count("\n") == 1
