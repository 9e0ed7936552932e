"""The death of a worker in the middle of a run, and what the agents wrote down about it."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import msgspec
import yaml

from ai_agent_mesh.cli.demo.stage import EXAMPLES, Customer, Json, Stage
from ai_agent_mesh.cli.demo.telling import Telling
from ai_agent_mesh.cli.demo.waiting import must, until

ENDED = {"completed", "faulted", "cancelled"}

#: The second invoice's total is wrong, so a person is asked.
PILE = [
    """Invoice: A-17
From: Chairs & Co
4 x Chair @ 40.00 = 160.00
Total: 160.00
""",
    "Dear all, the meeting about the new office is on Monday. Please bring your plans.",
    """Invoice: B-05
From: Lamps Ltd
3 x Lamp @ 25.00 = 75.00
Total: 95.00
""",
]


async def survive(tell: Telling, stage: Stage, oak: Customer, journal: Path) -> None:
    """Run the invoices, kill the worker that has them in hand, approve, and count the effects."""
    tell.act("A workflow runs, and survives the death of its worker")
    definition = yaml.safe_load((EXAMPLES / "workflows" / "invoices.yaml").read_text())
    await oak.ask("POST", "/v1/workflows", definition)
    run = await oak.ask("POST", "/v1/workflows/invoices/runs", {"input": {"documents": PILE}})
    run_id = run["id"]
    with tell.progress("reading the first invoice; the clerk is busy at first"):
        await until(lambda: _booking(oak, run_id), "the first booking to begin")
    killed = await _kill_the_holder(stage, run_id)
    at = time.monotonic()
    tell.found(f"worker {killed}: kill -9 while it books the first invoice")
    with tell.progress("the run goes on elsewhere"):
        approval = await until(lambda: _approval(oak), "another worker to go on")
    tell.found(f"another worker took over; an approval waits {time.monotonic() - at:.1f} s later")
    asks = approval["asks"]["data"]
    tell.found(f"it asks about {asks['number']} of {asks['supplier']}: {asks['flags'][0]}")
    await oak.ask("POST", f"/v1/approvals/{approval['id']}:approve", {"comment": "Pay it."})
    with tell.progress("booking the approved invoice"):
        ended = await until(lambda: _ended(oak, run_id), "the run to end")
    must(ended["state"] == "completed", f"the run is {ended['state']}: {ended['error']}")
    _account(tell, ended, journal)


def _account(tell: Telling, ended: Json, journal: Path) -> None:
    """Say what was done, and compare it with what the agents wrote down."""
    kinds = Counter(task["kind"] for task in ended["tasks"])
    tell.found(f"completed: {', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}")
    tell.found(f"attempts of the busy clerk: {max(t['attempt'] for t in ended['tasks'])}")
    lines = [msgspec.json.decode(line) for line in journal.read_text().splitlines()]
    effects = Counter(line["key"] for line in lines if line["event"] == "effect")
    repeats = sum(line["event"] == "replay" for line in lines)
    done = ended["output"]["done"]
    must(len(effects) == len(done), f"{len(effects)} effects, but the run knows of {done}")
    must(set(effects.values()) == {1}, "an outside effect happened twice")
    tell.found(
        f"the agents' journals: {len(effects)} outside effects, each once; asked again under the"
        f" same idempotency key: {repeats}"
    )


async def _kill_the_holder(stage: Stage, run_id: str) -> int:
    """Kill the worker process that has the run in hand, and start another in its place."""
    pid = await stage.holder(run_id)
    process = next((worker for worker in stage.workers if worker.pid == pid), None)
    must(process, f"no worker has {run_id} in hand")
    assert process is not None  # noqa: S101 - `must` has just seen to it
    process.kill()
    await process.wait()
    stage.workers.remove(process)
    await stage.worker()
    return process.pid


async def _booking(customer: Customer, run_id: str) -> bool:
    shown = await customer.ask("GET", f"/v1/runs/{run_id}")
    must(shown["state"] not in ENDED, f"the run ended early: {shown['error']}")
    return any(t["name"] == "book" and t["state"] == "running" for t in shown["tasks"])


async def _approval(customer: Customer) -> Json | None:
    found: list[Json] = (await customer.ask("GET", "/v1/approvals?state=pending"))["items"]
    return found[0] if found else None


async def _ended(customer: Customer, run_id: str) -> Json | None:
    await asyncio.sleep(0.3)
    shown = await customer.ask("GET", f"/v1/runs/{run_id}")
    return shown if shown["state"] in ENDED else None
