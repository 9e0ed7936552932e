"""What a customer may rely on when a workflow is run."""

import asyncio

import pytest
from tests.e2e.orchestration.conftest import House, Service, until

from ai_agent_mesh.product.orchestration import ApprovalDecided, RunEnded, RunNotResumable

STORY = """
do:
  - triage: {{set: {{total: '${{ [.items[].price] | add }}', items: '${{ .items }}'}}}}
  - size:
      switch:
        - big: {{when: .total > 100, then: each}}
        - small: {{then: done}}
  - each:
      for: {{each: item, in: .items}}
      do:
        - book:
            call: http
            with: {{method: post, endpoint: '{url}/book', body: '${{ $item }}'}}
            output: {{as: '$input + {{last: .did}}'}}
  - fetch:
      try:
        - flaky: {{call: http, with: {{method: post, endpoint: '{url}/flaky/2', body: {{x: 1}}}}}}
      catch:
        errors: {{with: {{status: 503}}}}
        retry: {{delay: {{milliseconds: 50}}, limit: {{attempt: {{count: 4}}}}}}
  - ask:
      listen: {{to: {{one: {{with: {{type: test.approval, data: '${{ $input }}'}}}}}}}}
  - judge:
      switch:
        - yes: {{when: '.[0].approved', then: done}}
        - no: {{then: refuse}}
  - refuse: {{raise: {{error: {{type: 'https://example.com/refused', status: 409}}}}}}
  - done: {{set: {{ok: true}}}}
"""


async def test_a_run_branches_loops_retries_and_asks(house: House, service: Service) -> None:
    await house.put("story", STORY.format(url=service.url))
    await house.worker()
    run = await house.start("story", {"items": [{"price": 60}, {"price": 70}]})
    await house.ended(run.id, "waiting")
    [approval] = await until(house.approvals)
    assert approval.asks["data"]["path"] == "/flaky/2"
    await house.decide(approval.id, "approved", comment="fine", data={"by": "me"})
    shown = await house.ended(run.id)
    assert (shown.state, shown.output) == ("completed", {"ok": True}), shown
    assert [path for path, _, _ in service.calls] == ["/book"] * 2 + ["/flaky/2"] * 3
    assert len({key for path, key, _ in service.calls if path == "/flaky/2"}) == 1
    assert sum(service.effects.values()) == 3
    states = {task.key: task.state for task in shown.tasks}
    assert states["/each/[1]/book"] == "completed"
    assert states["/fetch/try@1/flaky"] == "faulted"
    assert states["/fetch/try@3/flaky"] == "completed"
    assert len(await house.entries("task")) == 8


async def test_a_rejection_reaches_the_workflow(house: House, service: Service) -> None:
    await house.put("story", STORY.format(url=service.url))
    await house.worker()
    run = await house.start("story", {"items": [{"price": 200}]})
    [approval] = await until(house.approvals)
    await house.decide(approval.id, "rejected")
    shown = await house.ended(run.id)
    assert (shown.state, shown.error["status"]) == ("faulted", 409)


async def test_one_of_two_decisions_at_once_wins(house: House) -> None:
    await house.put("ask", "do: [{ask: {listen: {to: {one: {with: {type: x.approval}}}}}}]")
    await house.worker()
    run = await house.start("ask")
    [approval] = await until(house.approvals)
    answers = await asyncio.gather(
        *(house.decide(approval.id, state) for state in ("approved", "rejected") * 3),
        return_exceptions=True,
    )
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert all(isinstance(a, ApprovalDecided) for a in answers if a not in won)
    shown = await house.ended(run.id)
    assert shown.output[0]["decision"] == won[0].state
    assert len([task for task in shown.tasks if task.kind == "listen"]) == 1


async def test_a_cancelled_run_stops_at_once_and_can_be_resumed(
    house: House, service: Service
) -> None:
    from tests.e2e.orchestration.conftest import CLOCK, TENANT

    from ai_agent_mesh.product.orchestration import Runs

    url = service.url
    await house.put(
        "long",
        f"do: [{{a: {{call: http, with: {{method: post, endpoint: '{url}/a', body: 1}}}}}},"
        f"{{b: {{call: http, with: {{method: post, endpoint: '{url}/slow/4', body: 2}}}}}}]",
    )
    await house.worker()
    run = await house.start("long")
    await until(lambda: _called(service, "/slow/4"))
    async with house.databases.app.tenant(TENANT) as tx:
        await Runs(tx, CLOCK).cancel(run.id)
    async with house.databases.app.tenant(TENANT) as tx:
        with pytest.raises(RunEnded):
            await Runs(tx, CLOCK).cancel(run.id)
    await asyncio.sleep(1.5)
    assert (await house.show(run.id)).state == "cancelled"
    async with house.databases.app.tenant(TENANT) as tx:
        await Runs(tx, CLOCK).resume(run.id)
    shown = await house.ended(run.id)
    assert shown.state == "completed"
    assert [path for path, _, _ in service.calls] == ["/a", "/slow/4", "/slow/4"]
    assert sum(service.effects.values()) == 2
    async with house.databases.app.tenant(TENANT) as tx:
        with pytest.raises(RunNotResumable):
            await Runs(tx, CLOCK).resume(run.id)


async def _called(service: Service, path: str) -> bool:
    return any(call[0] == path for call in service.calls)


async def test_a_faulted_run_resumes_with_the_task_that_failed(
    house: House, service: Service
) -> None:
    from tests.e2e.orchestration.conftest import CLOCK, TENANT

    from ai_agent_mesh.product.orchestration import Runs

    url = service.url
    await house.put(
        "flaky",
        f"do: [{{a: {{call: http, with: {{method: post, endpoint: '{url}/a', body: 1}}}}}},"
        f"{{b: {{call: http, with: {{method: post, endpoint: '{url}/flaky/1', body: 2}}}}}}]",
    )
    await house.worker()
    run = await house.start("flaky")
    shown = await house.ended(run.id)
    assert (shown.state, shown.error["status"]) == ("faulted", 503)
    async with house.databases.app.tenant(TENANT) as tx:
        await Runs(tx, CLOCK).resume(run.id)
    shown = await house.ended(run.id)
    assert shown.state == "completed", shown.error
    assert [path for path, _, _ in service.calls] == ["/a", "/flaky/1", "/flaky/1"]


async def test_waits_and_timeouts_hold(house: House, service: Service) -> None:
    url = service.url
    await house.put("wait", "do: [{w: {wait: {seconds: 3}}}, {d: {set: {ok: true}}}]")
    await house.put(
        "late",
        f"do: [{{a: {{call: http, with: {{method: get, endpoint: '{url}/slow/5'}},"
        "timeout: {after: {milliseconds: 300}}}}]",
    )
    await house.put(
        "undecided",
        "do: [{ask: {listen: {to: {one: {with: {type: x.approval}}}}, timeout: {after: PT1S}}}]",
    )
    await house.worker()
    runs = [await house.start(name) for name in ("wait", "late", "undecided")]
    waited, late, undecided = [await house.ended(run.id) for run in runs]
    assert waited.output == {"ok": True}
    assert waited.ended_at is not None
    assert waited.started_at is not None
    assert (waited.ended_at - waited.started_at).total_seconds() >= 3
    assert late.error["type"].endswith("/timeout")
    assert undecided.error["type"].endswith("/timeout")
    [lapsed] = await house.approvals("lapsed")
    assert lapsed.run_id == runs[2].id


async def test_what_the_policies_forbid_is_not_called(house: House, service: Service) -> None:
    from tests.e2e.orchestration.conftest import TENANT

    from ai_agent_mesh.product.governance import Policies

    async with house.databases.app.tenant(TENANT) as tx:
        await Policies(tx).put(
            "never",
            'forbid (principal, action == Mesh::Action::"callHttp", resource)'
            ' when { resource.path == "/secret" };',
        )
    tasks = f"do: [{{a: {{call: http, with: {{method: get, endpoint: '{service.url}/secret'}}}}}}]"
    await house.put("spy", tasks)
    await house.worker()
    run = await house.start("spy")
    shown = await house.ended(run.id)
    assert shown.error["type"].endswith("/authorization")
    assert shown.error["policies"] == ["never"]
    assert service.calls == []
    [entry] = await house.entries("task")
    assert entry["reason"] == "authorization"
