"""Workflows and runs through the real door, with the worker that `mesh up` starts."""

import asyncio
import json
from pathlib import Path

import httpx
from tests.e2e.conftest import Stack

TEXT = """
document: {dsl: '1.0.0', namespace: test, name: door-sample, version: 1.0.0}
do:
  - add: {set: {sum: '${ .a + .b }'}}
  - ask: {listen: {to: {one: {with: {type: x.approval, data: '${ .sum }'}}}}}
"""


async def until_state(client: httpx.AsyncClient, run_id: str, *states: str) -> dict[str, object]:
    """Read a run until it is in one of these states."""
    for _ in range(300):
        run: dict[str, object] = (await client.get(f"/v1/runs/{run_id}")).json()
        if run["state"] in states:
            return run
        await asyncio.sleep(0.1)
    raise AssertionError(run)


async def test_a_workflow_is_kept_run_asked_about_and_finished(stack: Stack) -> None:
    async with stack.client() as client:
        bad = await client.post("/v1/workflows", content=TEXT.replace(".a + .b", ".a +"))
        assert bad.status_code in {422, 400}, bad.text
        assert bad.json()["errors"][0]["place"] == "/do/0/add/set/sum"
        made = await client.post("/v1/workflows", content=TEXT)
        assert made.status_code == 201, made.text
        assert (await client.post("/v1/workflows", content=TEXT)).status_code == 200
        other = await client.post("/v1/workflows", content=TEXT.replace(".a + .b", ".a"))
        assert other.status_code == 409
        key = {"Idempotency-Key": "once"}
        path, data = "/v1/workflows/door-sample/runs", {"input": {"a": 1, "b": 2}}
        first = await client.post(path, json=data, headers=key)
        again = await client.post(path, json=data, headers=key)
        assert (first.status_code, again.status_code) == (202, 202), first.text
        run_id = first.json()["id"]
        assert again.json()["id"] == run_id
        assert first.headers["location"] == f"/v1/runs/{run_id}"
        await until_state(client, run_id, "waiting")
        asked = (await client.get("/v1/approvals", params={"state": "pending"})).json()["items"]
        [approval] = [each for each in asked if each["run_id"] == run_id]
        assert approval["asks"]["data"] == 3
        place = f"/v1/approvals/{approval['id']}"
        assert (await client.post(place + ":approve", json={"comment": "ok"})).status_code == 200
        assert (await client.post(place + ":reject")).status_code == 409
        run = await until_state(client, run_id, "completed", "faulted")
        assert run["output"][0]["approved"] is True  # type: ignore[index] # JSON
        listed = (await client.get("/v1/runs", params={"workflow": "door-sample"})).json()
        assert [each["id"] for each in listed["items"]] == [run_id]
        ended = await client.post(f"/v1/runs/{run_id}:cancel")
        assert ended.status_code == 409
        assert (await client.delete("/v1/workflows/door-sample")).status_code in {200, 204}
        assert (await client.post(path, json=data)).status_code == 409
        assert (await client.get("/v1/workflows/door-sample")).json()["versions"] == ["1.0.0"]


async def test_the_command_line_keeps_checks_and_runs(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "sum.yaml"
    head = "document: {dsl: '1.0.0', namespace: test, name: console-sum, version: 1.0.0}\n"
    file.write_text(head + "do: [{add: {set: {sum: '${ .a + .b }'}}}]\n")
    assert "is well" in await stack.run("workflow", "check", str(file))
    tenant = ("--tenant", stack.tenant)
    await stack.run("workflow", "put", str(file), *tenant)
    said = await stack.run(
        "run", "start", "console-sum", *tenant, "--input", '{"a":1,"b":4}', "--wait", "--json"
    )
    run = json.loads(said)
    assert (run["state"], run["output"]) == ("completed", {"sum": 5})
    shown = json.loads(await stack.run("run", "show", run["id"], *tenant, "--json"))
    assert [task["state"] for task in shown["tasks"]] == ["completed"]
    assert run["id"] in await stack.run("run", "list", *tenant)
    file.write_text(head + "do: [{add: {set: {sum: '${ .a + }'}}}]\n")
    complaint = await stack.run("workflow", "check", str(file), status=1)
    assert "/do/0/add/set/sum" in complaint
