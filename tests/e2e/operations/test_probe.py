"""The probe exercises the whole system, and a stopped worker is the platform's own fault."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from tests.e2e.conftest import Stack

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.operations.probe import Probe
from ai_agent_mesh.playbook import default

INTERVAL = default().measurement.probe.interval


async def test_the_probe_is_heard_for_every_service(stack: Stack) -> None:
    async with asyncio.timeout(90), stack.client() as client:
        while True:
            items = (await client.get("/v1/sla/statements/" + month())).json()["services"]
            if all(one["watched_since"] for one in items):
                return
            await asyncio.sleep(1)


async def test_a_statement_is_given_as_json_and_as_text(stack: Stack) -> None:
    async with stack.client() as client:
        address = f"/v1/sla/statements/{month()}"
        stated = (await client.get(address)).json()
        text = (await client.get(address, headers={"Accept": "text/plain"})).text
        slos = (await client.get("/v1/slos")).json()["items"]
        ahead = await client.get("/v1/sla/statements/2999-01")
    assert stated["month"] == month()
    assert stated["objective"] in text
    assert slos[0]["objective"] == stated["objective"]
    assert (ahead.status_code, ahead.json()["type"]) == (400, "/problems/span-ahead")


async def test_nobody_else_may_have_a_run_judged(stack: Stack) -> None:
    async with stack.client() as client:
        assert (await client.get("/v1/probe/runs/run_1")).status_code == 404


async def test_the_recount_of_a_running_system_agrees(stack: Stack) -> None:
    assert "every figure recomputed" in await stack.run("sla", "verify")


async def test_a_running_system_is_alive_and_ready(stack: Stack) -> None:
    async with stack.client() as client:
        assert (await client.get("/livez")).json() == {"alive": True}
        ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)


async def test_an_address_where_nothing_listens_is_a_finding_not_a_crash() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as client:
        found = await Probe(client, INTERVAL, SystemClock()).once()
    assert [one.reason for one in found] == ["ConnectError"] * 4


async def test_the_probe_stops_when_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as client:
        running = asyncio.create_task(Probe(client, INTERVAL, SystemClock()).run(stop))
        await asyncio.sleep(0.05)
        stop.set()
        await asyncio.wait_for(running, 30)
    assert not caplog.records


def month() -> str:
    """Return the running month."""
    return f"{datetime.now(UTC):%Y-%m}"
