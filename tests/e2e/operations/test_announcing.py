"""Maintenance through the public doors of a running system: announced, told, proved."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from tests.contract.agents.processes import running
from tests.e2e.conftest import Stack

Json = dict[str, Any]  # what others wrote, in JSON
SOON = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
BODY = {
    "title": "Replace the disks",
    "since": SOON.isoformat(),
    "until": (SOON + timedelta(hours=2)).isoformat(),
    "services": ["telemetry"],
}


@pytest.fixture(scope="module")
async def operator(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    words = ("key", "create", "--tenant", "platform", "--service", "ops", "--role", "operator")
    async with stack.client((await stack.run(*words)).strip()) as client:
        yield client


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("receiver") / "heard"
    log.touch()
    with running("tests.e2e.operations.receiver", str(log)) as url:
        yield url, log


async def test_an_announcement_reaches_its_subscribers_and_both_ledgers(
    stack: Stack, operator: httpx.AsyncClient, receiver: tuple[str, Path]
) -> None:
    url, log = receiver
    async with stack.client() as client:
        hook = {"url": f"{url}/ok", "topics": ["maintenance"]}
        subscribed = (await client.post("/v1/subscriptions", json=hook)).json()
        answer = await operator.post("/v1/maintenance", json=BODY)
        work = answer.json()
        assert (answer.status_code, work["state"], work["excludes"]) == (201, "scheduled", True)
        assert "will exclude" in work["verdict"]
        async with asyncio.timeout(60):
            while not log.read_text():
                await asyncio.sleep(0.1)
            while not (told := await notices(client)):
                await asyncio.sleep(0.1)
            while not (acts := await announcements(operator, work["id"])):
                await asyncio.sleep(0.1)
        heard = json.loads(log.read_text().splitlines()[0])
        said = Webhook(subscribed["secret"]).verify(heard["body"], heard["headers"])
        assert (said["type"], said["data"]["id"]) == ("maintenance.announced", work["id"])
        assert (told[0]["object"], told[0]["detail"]["about"]) == (
            heard["headers"]["webhook-id"], work["id"],
        )  # fmt: skip
        assert acts[0]["id"] == work["entry"]
        assert acts[0]["at"] == work["announced_at"]
        assert acts[0]["detail"]["services"] == "telemetry"
        # A tenant reads it, and may neither announce nor cancel.
        assert (await client.get(f"/v1/maintenance/{work['id']}")).json() == work
        assert (await client.post("/v1/maintenance", json=BODY)).status_code == 403
        assert (await client.post(f"/v1/maintenance/{work['id']}:cancel")).status_code == 403
    page = (await operator.get("/api/v2/scheduled-maintenances/upcoming.json")).json()
    assert work["id"] in {one["id"] for one in page["scheduled_maintenances"]}
    feed = await operator.get("/status/maintenance.ics")
    assert feed.headers["content-type"] == "text/calendar; charset=utf-8"
    assert f"UID:{work['id']}@ai-agent-mesh" in feed.text
    html = (await operator.get("/status")).text
    assert "Replace the disks" in html
    assert "it will exclude its minutes" in html


async def notices(client: httpx.AsyncClient) -> list[Json]:
    """Return the tenant's notice entries."""
    return [one for one in await entries(client) if one["kind"] == "notice"]


async def announcements(client: httpx.AsyncClient, work: str) -> list[Json]:
    """Return the entries that announce one maintenance."""
    found = [one for one in await entries(client) if one.get("object") == work]
    return [one for one in found if one["kind"] == "act"]


async def entries(client: httpx.AsyncClient) -> list[Json]:
    """Return the caller's newest ledger entries, as they are written."""
    items = (await client.get("/v1/ledger/entries", params={"limit": 200})).json()["items"]
    return [json.loads(one["text"]) for one in items]


async def test_the_console_announces_and_cancels_with_the_same_words(
    stack: Stack, operator: httpx.AsyncClient
) -> None:
    since = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    words = ("maintenance", "announce", "Fix the switch", "--since", since, "--until", until)
    work = json.loads(await stack.run(*words, "--service", "api", "--json"))
    assert (work["late"], work["excludes"], work["services"]) == (True, False, ["api"])
    assert "its minutes will be judged" in work["verdict"]
    assert "is cancelled" in await stack.run("maintenance", "cancel", work["id"])
    assert f"{work['id']}  cancelled" in await stack.run("maintenance", "list")
    assert (await operator.get(f"/v1/maintenance/{work['id']}")).json()["state"] == "cancelled"
    again = await operator.post(f"/v1/maintenance/{work['id']}:cancel")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-cancelled")


async def test_a_mistake_is_told_in_one_line_with_its_place(stack: Stack) -> None:
    words = ("maintenance", "announce", "Naive", "--since", "2030-01-06T02:00:00", "--until")
    said = await stack.run(*words, "2030-01-06T03:00:00Z", status=1)
    assert said.endswith(": --since: Expected `datetime` with a timezone component\n")
    assert said.count("\n") == 1


async def test_subscriptions_are_kept_at_the_console(stack: Stack) -> None:
    at = ("--tenant", stack.tenant)
    made = await stack.run("subscription", "create", "http://127.0.0.1:9/hook", *at, "--json")
    kept = json.loads(made)["subscription"]
    assert json.loads(made)["secret"].startswith("whsec_")
    listed = await stack.run("subscription", "list", *at)
    assert kept["id"] in listed
    assert "whsec_" not in listed
    await stack.run("subscription", "delete", kept["id"], *at)
    gone = await stack.run("subscription", "show", kept["id"], *at, status=1)
    assert "There is no subscription" in gone
