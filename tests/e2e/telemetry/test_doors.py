"""Telemetry through the real door and at the command line."""

import json

from tests.e2e.conftest import Stack

ASK = {
    "action": "invokeAgent",
    "resource": {"type": "Agent", "id": "agt_telemetry", "name": "sums", "kind": "a2a"},
}


async def test_a_decision_is_found_again_as_span_series_and_trace(stack: Stack) -> None:
    async with stack.client() as client:
        asked = await client.post("/v1/policies:evaluate", json=ASK)
        trace_id = asked.headers["traceparent"].split("-")[1]
        about = {"agent_id": "agt_telemetry", "kind": "policy_decision"}
        trace = (await client.get(f"/v1/telemetry/traces/{trace_id}")).json()
        assert [span["kind"] for span in trace["spans"]] == ["policy_decision"]
        assert trace["complete"] is True
        whole = (await client.get("/v1/telemetry/percentiles", params=about)).json()
        assert whole["count"] == 1
        assert whole["p50_us"] == trace["spans"][0]["duration_us"]
        series = (await client.get("/v1/telemetry/series", params={**about, "step_s": 3600})).json()
        assert len(series["items"]) == 24
        assert sum(each["count"] for each in series["items"]) == 1
        spans = (await client.get("/v1/telemetry/spans", params=about)).json()
        assert [span["trace_id"] for span in spans["items"]] == [trace_id]
        usage = (await client.get("/v1/telemetry/usage", params={"by": "day"})).json()
        assert usage["by"] == "day"
    words = ("telemetry", "trace", trace_id, "--tenant", stack.tenant)
    assert "decide invokeAgent" in await stack.run(*words)
    shown = json.loads(await stack.run(*words, "--json"))
    assert shown[0]["trace_id"] == trace_id
    figures = json.loads(
        await stack.run("telemetry", "percentiles", "--tenant", stack.tenant, "--json")
    )
    assert figures["count"] >= 1
    for word in ("series", "usage"):
        await stack.run("telemetry", word, "--tenant", stack.tenant)


async def test_an_absurd_range_is_refused_with_every_fault(stack: Stack) -> None:
    absurd: dict[str, str | int] = {
        "since": "2020-01-01T00:00:00Z",
        "until": "2026-01-01T00:00:00Z",
        "step_s": 0,
    }
    async with stack.client() as client:
        answer = await client.get("/v1/telemetry/series", params=absurd)
        assert answer.status_code == 400, answer.text
        assert [error["place"] for error in answer.json()["errors"]] == ["since", "step_s"]
        naive = await client.get("/v1/telemetry/percentiles", params={"since": "2026-01-01T00:00"})
        assert naive.status_code == 400
        grouped = await client.get("/v1/telemetry/usage", params={"by": "colour"})
        assert grouped.json()["errors"][0]["place"] == "by"
        lost = await client.get("/v1/telemetry/spans", params={"cursor": "eA"})
        assert lost.status_code == 400
        assert (await client.get(f"/v1/telemetry/traces/{'0' * 32}")).status_code == 404


async def test_the_metrics_of_the_process_are_shown(stack: Stack) -> None:
    async with stack.client() as client:
        await client.post("/v1/policies:evaluate", json=ASK)
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert 'mesh_policy_decisions_total{action="invokeAgent"' in answer.text
    assert "mesh_build_info" in answer.text
    assert answer.text.endswith("# EOF\n")
