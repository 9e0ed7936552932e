"""Policies through the real door and at the command line."""

import json

from tests.e2e.conftest import Stack

ALL = "// Anybody may.\npermit (principal, action, resource);"
SUMS = {"type": "Agent", "id": "agt_1", "name": "sums", "kind": "a2a"}
ASK = {"action": "invokeAgent", "resource": SUMS}


async def test_a_policy_is_written_read_changed_and_removed(stack: Stack) -> None:
    async with stack.client() as client:
        made = await client.put("/v1/policies/door-rule", json={"text": ALL})
        assert made.status_code == 201, made.text
        assert made.headers["etag"] == '"1"'
        assert made.json()["description"] == "Anybody may."
        again = await client.put("/v1/policies/door-rule", json={"text": ALL})
        assert again.status_code == 428
        stale = {"If-Match": '"9"'}
        late = await client.put("/v1/policies/door-rule", json={"text": ALL}, headers=stale)
        assert late.status_code == 412
        right = {"If-Match": '"1"'}
        changed = await client.put(
            "/v1/policies/door-rule", json={"text": ALL, "enabled": False}, headers=right
        )
        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        listed = await client.get("/v1/policies", params={"enabled": False})
        assert "door-rule" in [policy["name"] for policy in listed.json()["items"]]
        gone = await client.delete("/v1/policies/door-rule", headers={"If-Match": '"2"'})
        assert gone.status_code == 204
        assert (await client.get("/v1/policies/door-rule")).status_code == 404
        versions = await client.get("/v1/policies/door-rule/versions", params={"limit": 2})
        assert [v["version"] for v in versions.json()["items"]] == [3, 2]
        more = await client.get(
            "/v1/policies/door-rule/versions", params={"cursor": versions.json()["next_cursor"]}
        )
        assert [v["version"] for v in more.json()["items"]] == [1]


async def test_a_wrong_policy_is_refused_with_line_and_column(stack: Stack) -> None:
    text = 'permit (principal, action, resource is Mesh::Agent)\nwhen { resource.nme == "x" };'
    async with stack.client() as client:
        answer = await client.put("/v1/policies/Wrong", json={"text": text})
        assert answer.status_code == 400, answer.text
        places = [error["place"] for error in answer.json()["errors"]]
        assert places == ["name", "text:2:17"]
        assert (await client.get("/v1/policies/Wrong")).status_code == 404


async def test_a_decision_names_its_policies_reasons_and_duration(stack: Stack) -> None:
    async with stack.client() as client:
        allowed = (await client.post("/v1/policies:evaluate", json=ASK)).json()
        assert allowed["decision"] == "allow", allowed
        assert allowed["determining"] == ["people-invoke-agents"]
        assert allowed["reasons"] == ["permitted by policy people-invoke-agents, version 1"]
        assert allowed["duration_us"] > 0
        assert allowed["policy_version"] > 0
        labelled = {**SUMS, "labels": {"restricted": "true"}}
        denied = await client.post("/v1/policies:evaluate", json={**ASK, "resource": labelled})
        assert denied.json()["decision"] == "deny"
        assert denied.json()["determining"] == ["restricted-agents"]
        viewer = {"type": "Actor", "id": "usr_x", "role": "viewer"}
        other = await client.post("/v1/policies:evaluate", json={**ASK, "principal": viewer})
        assert (other.json()["decision"], other.json()["determining"]) == ("deny", [])
        wrong = await client.post("/v1/policies:evaluate", json={**ASK, "action": "fly"})
        assert wrong.status_code == 400


async def test_the_schema_is_published(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.get("/v1/policies/schema")
    assert answer.status_code == 200
    assert "namespace Mesh" in answer.text


async def test_an_operator_works_with_policies_at_the_command_line(stack: Stack) -> None:
    where = ("--tenant", stack.tenant)
    file = stack.data.parent / "rule.cedar"
    file.write_text(ALL)
    await stack.run("policy", "put", "console-rule", str(file), *where)
    listed = json.loads(await stack.run("policy", "list", *where, "--json"))
    assert "console-rule" in [policy["name"] for policy in listed]
    shown = json.loads(await stack.run("policy", "show", "console-rule", *where, "--json"))
    assert shown["text"] == ALL
    said = json.loads(
        await stack.run(
            "policy", "evaluate", "invokeAgent", *where, "--role", "viewer",
            "--agent", "sums", "--json",
        )
    )  # fmt: skip
    assert (said["allowed"], said["determining"]) == (True, ["console-rule"])
    await stack.run("policy", "delete", "console-rule", *where)
    history = json.loads(await stack.run("policy", "history", "console-rule", *where, "--json"))
    assert [version["deleted"] for version in history] == [True, False]
    file.write_text("permit (principal, action);")
    complaint = await stack.run("policy", "put", "console-rule", str(file), *where, status=1)
    assert "text:1:" in complaint
    assert "namespace Mesh" in await stack.run("policy", "schema")
