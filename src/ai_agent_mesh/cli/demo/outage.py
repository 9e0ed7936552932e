"""An outage for real: every worker stopped, while the probe and a customer go on."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime

import httpx

from ai_agent_mesh.cli.demo.stage import Customer, Stage
from ai_agent_mesh.cli.demo.telling import Telling
from ai_agent_mesh.cli.demo.waiting import must, until


async def suffer(tell: Telling, stage: Stage, oak: Customer, seconds: int) -> None:
    """Stop every worker for a time, start them again, and wait until all are served."""
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
    tell.found(f"{count} workers started at {datetime.now(UTC):%H:%M:%S} UTC")
    with tell.progress("working off what was accepted meanwhile"):
        states = await until(lambda: _finished(oak, accepted), "the accepted runs to finish")
    tell.found(f"of {len(accepted)} runs accepted meanwhile: {dict(states)}; none is lost")
    with tell.progress("waiting for the minute to close and to be counted"):
        await asyncio.sleep(60 - time.time() % 60 + 5)


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
            await asyncio.sleep(min(2, max(0, left)))
    tell.found(f"the customer was answered {dict(answers)}: reads and acceptance need no worker")
    must(accepted, "no run was accepted during the outage")
    return accepted


async def _finished(oak: Customer, run_ids: list[str]) -> Counter[str] | None:
    states = Counter([(await oak.ask("GET", f"/v1/runs/{one}"))["state"] for one in run_ids])
    return None if {"pending", "running", "waiting"} & set(states) else states
