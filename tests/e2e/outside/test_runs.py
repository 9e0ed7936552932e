"""What a run calls may do the same, and the run, its entry and its span say whose fault it was."""

import asyncio
from typing import Any

from tests.contract.agents.hostile import BEHAVIOURS
from tests.e2e.outside.conftest import SLOW, TURNING, House, Outside, nothing_held

HOSTILE = sorted(set(BEHAVIOURS) - {"charset", "list", "wrong"})
HEAD = "document: {dsl: '1.0.0', namespace: test, name: %s, version: 1.0.0}\n"
ASK = (
    HEAD + "do: [{ask: {call: http, timeout: {after: PT3S}, with: {method: get, endpoint: '%s'}}}]"
)
TELL = HEAD + "do: [{tell: {call: a2a, timeout: {after: PT3S}, with: {agent: %s, data: {a: 1}}}}]"
ANY_HTTP = """permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp",
  resource is Mesh::Endpoint);"""


async def started(house: House, source: str) -> str:
    """Write a workflow and start a run of it."""
    kept = await house.client.post("/v1/workflows", content=source)
    assert kept.status_code == 201, kept.text
    run = await house.client.post(f"/v1/workflows/{kept.json()['name']}/runs", json={})
    assert run.status_code == 202, run.text
    return str(run.json()["id"])


async def walked(house: House, runs: list[str]) -> list[dict[str, Any]]:
    """Return runs as they are shown."""
    return [(await house.client.get(f"/v1/runs/{run}")).json() for run in runs]


async def test_a_runs_calls_hold_nothing_and_are_booked_to_the_upstream(
    house: House, outside: Outside
) -> None:
    put = await house.client.put("/v1/policies/any-http", json={"text": ANY_HTTP})
    assert put.status_code == 201, put.text
    runs: dict[str, str] = {}
    for name in HOSTILE:
        url = f"{outside.url}/{name}"
        agent = {"kind": "http", "url": url, "name": name, "timeout_s": 3}
        assert (await house.client.post("/v1/agents", json=agent)).status_code == 201
        runs[f"ask {name}"] = await started(house, ASK % (f"ask-{name}", f"{url}/asked"))
        runs[f"tell {name}"] = await started(house, TELL % (f"tell-{name}", name))
    outside.honest = False
    runner = await house.runner()
    walks = [asyncio.ensure_future(runner.run(house.tenant, run, 1)) for run in runs.values()]
    await nothing_held(house, outside, 2 * len(SLOW))
    await asyncio.gather(*walks)
    shown = dict(zip(runs, await walked(house, list(runs.values())), strict=True))
    entries = {each["object"]: each for each in await house.entries() if each["kind"] == "task"}
    spans = {each["run_id"]: each for each in await house.spans("task")}
    for what, run in shown.items():
        kind = "timeout" if what.split()[1] in SLOW else "communication"
        assert run["state"] == "faulted", what
        assert run["error"]["type"].endswith(f"/{kind}"), (what, run["error"])
        assert (entries[run["id"]]["fault"], entries[run["id"]]["reason"]) == ("upstream", kind)
        assert spans[run["id"]]["error_type"] == kind, what


async def test_a_charset_chooses_no_codec_and_a_turning_name_is_refused(
    house: House, outside: Outside
) -> None:
    await house.client.put("/v1/policies/any-http", json={"text": ANY_HTTP})
    outside.honest = False
    port = outside.url.rpartition(":")[2]
    turning = f"http://{TURNING}:{port}/garbage"
    runs = [
        await started(house, ASK % ("charset", f"{outside.url}/charset")),
        await started(house, ASK % ("first", turning)),
        await started(house, ASK % ("second", turning)),
    ]
    runner = await house.runner()
    for run in runs:
        await runner.run(house.tenant, run, 1)
    charset, first, second = await walked(house, runs)
    assert (charset["state"], charset["output"]) == ("completed", "xyz")
    assert first["error"]["type"].endswith("/communication")
    assert second["error"]["type"].endswith("/authorization")
    assert "10.0.0.7" in second["error"]["detail"]
    faults = {each["object"]: each.get("fault") for each in await house.entries()
              if each["kind"] == "task"}  # fmt: skip
    assert [faults[run] for run in runs] == [None, "upstream", "client"]
    assert house.held == {}
