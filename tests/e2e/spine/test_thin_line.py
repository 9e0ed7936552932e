"""One thin line through every floor: a key, an agent, a run, its entries, a figure, a page."""

import asyncio
import json

import httpx
from tests.contract.agents.processes import running
from tests.e2e.conftest import Stack

WORKFLOW = """
document: {dsl: '1.0.0', namespace: spine, name: thin-line, version: 1.0.0}
do:
  - read: {call: a2a, with: {agent: thin-reader, data: {text: '${ .letter }'}}}
"""


async def judgement(client: httpx.AsyncClient) -> dict[str, object]:
    """Return the objective of the slowest hundredth of calls about agents."""
    slos = (await client.get("/v1/slos")).json()["items"]
    [found] = [s for s in slos if (s["category"], s["percentile"]) == ("agent_crud", "p99")]
    return dict(found)


async def test_a_key_an_agent_a_run_its_entries_a_figure_and_the_page(stack: Stack) -> None:
    # The first tenant: a later one is judged from its first whole minute only.
    tenant = stack.tenant
    with running("examples.agents.document_analyst") as url:
        async with stack.client() as client:
            assert (await client.get("/v1/auth/whoami")).json()["tenant_id"] == tenant
            before = (await judgement(client))["counted"]
            card = {"kind": "a2a", "url": url, "name": "thin-reader"}
            agent = await client.post("/v1/agents", json=card)
            assert agent.status_code == 201, agent.text
            kept = await client.post("/v1/workflows", content=WORKFLOW)
            assert kept.status_code == 201, kept.text
            letter = {"input": {"letter": "Dear all, the meeting is on Monday."}}
            run = await client.post("/v1/workflows/thin-line/runs", json=letter)
            assert run.status_code == 202, run.text
            place = f"/v1/runs/{run.json()['id']}"
            async with asyncio.timeout(30):
                while (shown := (await client.get(place)).json())["state"] != "completed":
                    assert shown["state"] in {"pending", "running", "waiting"}, shown
                    await asyncio.sleep(0.1)
            assert shown["output"]["kind"] == "letter"
            await asyncio.sleep(1.2)
            entries = (await client.get("/v1/ledger/entries", params={"limit": 200})).json()
            said = [json.loads(item["text"]) for item in entries["items"]]
            wanted = {"POST /v1/agents", "POST /v1/workflows", "POST /v1/workflows/{name}/runs"}
            assert wanted <= {each.get("route") for each in said}
            assert {"task", "call"} <= {each["kind"] for each in said}
            assert {each["tenant"] for each in said} == {tenant}
            async with asyncio.timeout(150):  # figures are of whole minutes
                while (judged := await judgement(client))["counted"] == before:
                    await asyncio.sleep(2)
            assert judged["attainment"] is not None
            page = await client.get("/status")
    assert page.status_code == 200
    assert "orchestration" in page.text.lower()
