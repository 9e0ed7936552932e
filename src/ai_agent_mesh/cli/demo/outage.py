"""An outage for real: every worker stopped, while the probe and a customer go on."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime

import httpx

from ai_agent_mesh.cli.demo.stage import Customer, Stage
from ai_agent_mesh.cli.demo.telling import Telling
from ai_agent_mesh.cli.demo.waiting import must, until
from ai_agent_mesh.kernel.spans import MINUTE, minute_of
from ai_agent_mesh.operations.statements import settled_until
from ai_agent_mesh.playbook import default

#: How often the customer asks for something. One who asks much more often has so many calls served
#: (what is accepted needs no worker) that the failing ones stay under the promised share.
EVERY_S = 5


async def suffer(tell: Telling, stage: Stage, oak: Customer, seconds: int) -> datetime:
    """Stop every worker for a time, start them again, and wait until all are served.

    Returns the end of the minute in which the outage was over, once that minute can be judged.
    """
    tell.act(f"An outage: no worker for {seconds} seconds")
    await oak.ask("POST", "/v1/workflows", _PING)
    for worker in stage.workers:
        if worker.returncode is None:
            worker.kill()
    await asyncio.gather(*(worker.wait() for worker in stage.workers))
    count, stage.workers[:] = len(stage.workers), []
    tell.found(f"{count} workers killed at {datetime.now(UTC):%H:%M:%S} UTC")
    accepted = await _go_on(tell, oak, seconds)
    await asyncio.gather(*(stage.worker() for _ in range(count)))
    back = datetime.now(UTC)
    tell.found(f"{count} workers started at {back:%H:%M:%S} UTC")
    with tell.progress("working off what was accepted meanwhile"):
        states = await until(lambda: _finished(oak, accepted), "the accepted runs to finish")
    tell.found(f"of {len(accepted)} runs accepted meanwhile: {dict(states)}; none is lost")
    end = minute_of(back) + MINUTE
    with tell.progress("waiting for the outage's last minute to be complete in the ledger"):
        playbook = default()  # the demo runs under no other
        while settled_until(datetime.now(UTC), playbook) < end:  # noqa: ASYNC110 - only time passes
            await asyncio.sleep(1)
    return end


_PING = {
    "document": {"dsl": "1.0.0", "namespace": "demo", "name": "ping", "version": "1.0.0"},
    "do": [{"answer": {"set": {"pong": True}}}],
}


async def _go_on(tell: Telling, oak: Customer, seconds: int) -> list[str]:
    """Let the customer go on asking for things; return the ids of the runs that were accepted."""
    until_s = time.monotonic() + seconds
    accepted: list[str] = []
    answers: Counter[int] = Counter()
    with tell.progress("the probe and a customer go on") as status:
        while (left := until_s - time.monotonic()) > 0:
            status.update(f"   the probe and a customer go on, {left:.0f} s left …")
            answer = await oak.send("POST", "/v1/workflows/ping/runs", {"input": {}})
            answers[answer.status_code] += 1
            if answer.status_code == httpx.codes.ACCEPTED:
                accepted.append(answer.json()["id"])
            answers[(await oak.send("GET", "/v1/agents")).status_code] += 1
            await asyncio.sleep(min(EVERY_S, left))
    tell.found(f"the customer was answered {dict(answers)}: reads and acceptance need no worker")
    must(accepted, "no run was accepted during the outage")
    return accepted


async def _finished(oak: Customer, run_ids: Collection[str]) -> Counter[str] | None:
    """Return how many runs ended in which state, once all have; one call looks at all of them."""
    await asyncio.sleep(1)
    listed = (await oak.ask("GET", "/v1/runs?workflow=ping&limit=100"))["items"]
    states = Counter(run["state"] for run in listed if run["id"] in run_ids)
    return None if {"pending", "running", "waiting"} & set(states) else states
