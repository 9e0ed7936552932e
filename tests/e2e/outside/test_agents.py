"""An agent may hang, pour, lie or lead elsewhere: it is bounded, reported, and holds nothing."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import timedelta

import httpx
from tests.contract.agents.hostile import BEHAVIOURS
from tests.e2e.outside.conftest import SLOW, TURNING, House, Outside, nothing_held

#: An answer in another charset is read as UTF-8, and a list is an answer like any other.
SOUND = {"charset", "list", "wrong"}
HOSTILE = sorted(set(BEHAVIOURS) - SOUND)


async def judged(
    house: House, outside: Outside, *acts: Mapping[str, Awaitable[httpx.Response]]
) -> list[dict[str, httpx.Response]]:
    """Make calls to hostile agents at once; nothing is held while the slow ones are waited for."""
    outside.honest = False
    answering = [
        {name: asyncio.ensure_future(call) for name, call in calls.items()} for calls in acts
    ]
    await nothing_held(house, outside, len(acts) * len(SLOW))
    answers = [{name: await task for name, task in calls.items()} for calls in answering]
    outside.honest = True
    return answers


async def booked(house: House, route: str, answers: dict[str, httpx.Response]) -> None:
    """Hold each refusal to one clear problem, booked as the upstream's, and not as our time."""
    entries = {each["id"]: each for each in await house.entries() if each.get("route") == route}
    for name, answer in answers.items():
        assert answer.status_code == (504 if name in SLOW else 502), (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        entry = entries[answer.headers["mesh-receipt"].partition(";")[0].strip('" ')]
        assert (entry["fault"], entry["status"]) == ("upstream", answer.status_code), name
        if name in SLOW:
            assert entry["latency_us"] < entry["duration_us"] / 2, name


async def made(house: House, **body: object) -> dict[str, str]:
    answer = await house.client.post("/v1/agents", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_registration_holds_nothing_while_the_card_is_fetched(
    house: House, outside: Outside
) -> None:
    calls = {
        name: house.client.post(
            "/v1/agents",
            json={"kind": "a2a", "url": f"{outside.url}/{name}", "name": name},
            headers={"Idempotency-Key": name},
        )
        for name in HOSTILE
    }
    [answers] = await judged(house, outside, calls)
    await booked(house, "POST /v1/agents", answers)
    assert (await house.client.get("/v1/agents")).json()["items"] == []
    # The key of what failed is free, so the mended agent is registered under it.
    again = await house.client.post(
        "/v1/agents",
        json={"kind": "a2a", "url": f"{outside.url}/hang", "name": "hang"},
        headers={"Idempotency-Key": "hang"},
    )
    assert again.status_code == 201, again.text


async def test_a_card_read_again_or_elsewhere_holds_nothing_either(
    house: House, outside: Outside
) -> None:
    for name in HOSTILE:
        await made(house, kind="a2a", url=f"{outside.url}/{name}", name=name)
    refreshed, moved = await judged(
        house,
        outside,
        {name: house.client.post(f"/v1/agents/{name}:refresh") for name in HOSTILE},
        {
            name: house.client.patch(
                f"/v1/agents/{name}",
                json={"url": f"{outside.url}/{name}/moved"},
                headers={"If-Match": '"1"'},
            )
            for name in HOSTILE
        },
    )
    await booked(house, "POST /v1/agents/{agent_id}:refresh", refreshed)
    await booked(house, "PATCH /v1/agents/{agent_id}", moved)
    kept = (await house.client.get("/v1/agents")).json()["items"]
    assert {(each["url"], each["version"]) for each in kept} == {
        (f"{outside.url}/{name}", 1) for name in HOSTILE
    }


async def test_an_invocation_holds_nothing_and_leaves_a_span(
    house: House, outside: Outside
) -> None:
    for name in HOSTILE:
        url = f"{outside.url}/{name}"
        await made(house, kind="http", url=url, name=name, timeout_s=4)
    [answers] = await judged(
        house,
        outside,
        {n: house.client.post(f"/v1/agents/{n}:invoke", json={"input": "x"}) for n in HOSTILE},
    )
    await booked(house, "POST /v1/agents/{agent_id}:invoke", answers)
    spans = {each["name"].removeprefix("invoke_agent "): each["error_type"] for each in
             await house.spans("agent_call")}  # fmt: skip
    assert spans["hang"] == spans["drip"] == spans["slow-head"] == "AnswerTimedOut"
    assert spans["huge"] == spans["bomb"] == spans["pour"] == "AnswerTooLarge"
    assert spans["half"] == spans["shut"] == "ConnectionBroken"
    assert spans["elsewhere"] == "RedirectRefused"
    assert set(spans) == set(HOSTILE)


async def test_a_name_that_turns_inward_is_reached_once_and_never_inside(
    house: House, outside: Outside
) -> None:
    port = outside.url.rpartition(":")[2]
    await made(house, kind="a2a", url=f"http://{TURNING}:{port}/card", name="turning")
    for act in ("refresh", "invoke"):
        answer = await house.client.post(f"/v1/agents/turning:{act}", json={"input": "x"})
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"] == "/problems/address-refused"
        assert "10.0.0.7" in answer.json()["detail"]
    [span] = await house.spans("agent_call")
    assert span["error_type"] == "AddressRefused"
    refused = [each for each in await house.entries() if each.get("status") == 403]
    assert {each["fault"] for each in refused} == {"client"}
    assert house.held == {}


async def test_health_checks_hold_nothing_and_tell_what_they_found(
    house: House, outside: Outside
) -> None:
    for name in HOSTILE:
        await made(house, kind="http", url=f"{outside.url}/{name}", name=name)
    outside.honest = False
    checks = asyncio.ensure_future(
        house.mesh.health.run(house.mesh.clock.now() + timedelta(minutes=1))
    )
    await nothing_held(house, outside, len(SLOW))
    assert not checks.done()
    assert await checks == len(HOSTILE)
    kept = (await house.client.get("/v1/agents")).json()["items"]
    found = {each["name"]: each["health"] for each in kept}
    failed = {"hang", "drip", "slow-head", "pour", "huge", "bomb", "half", "shut", "elsewhere"}
    assert {name for name, health in found.items() if health["error"]} == failed
    assert {health["consecutive_failures"] for name, health in found.items()
            if name in failed} == {1}  # fmt: skip


async def test_two_registrations_under_one_key_wait_outside_and_have_one_effect(
    house: House, outside: Outside
) -> None:
    body = {"kind": "a2a", "url": f"{outside.url}/card", "name": "one"}
    key = {"Idempotency-Key": "one"}
    got = await asyncio.gather(
        *(house.client.post("/v1/agents", json=body, headers=key) for _ in range(10))
    )
    assert {answer.status_code for answer in got} == {201}
    assert len({answer.content for answer in got}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in got) == 9
    assert len((await house.client.get("/v1/agents")).json()["items"]) == 1
    outside.url = "http://127.0.0.1:1"  # whether the agent is still there is not asked again
    again = await house.client.post("/v1/agents", json=body, headers=key)
    assert (again.status_code, again.content) == (201, got[0].content)
