"""Where the probe has its run judged: the server waits itself, so its own entry tells the truth."""

import asyncio
import time

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from ai_agent_mesh.kernel.errors import NotFound, Unavailable
from ai_agent_mesh.operations.probe.ports import Wiring
from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.http import Work
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.orchestration import Runs

Wired = NamedDependency[SkipValidation[Wiring]]
Caller = NamedDependency[Principal]

#: How often the run is looked at while it is waited for.
PAUSE_S = 0.2
_COMPLETED = "completed"
_OVER = frozenset({_COMPLETED, "faulted", "cancelled"})


class RunUnfinished(Unavailable):
    """The run {run} was {state} after {waited_s} s; it should have been completed."""


class NotTheProbe(NotFound):
    """Only the probe's runs are judged here."""


class Finished(msgspec.Struct, frozen=True):
    """A run that came to its end in time."""

    id: str
    state: str


@get("/v1/probe/runs/{run_id:str}", summary="Wait for a run of the probe", tags=["probe"])
async def judge_run(unit: Work, mesh: Wired, principal: Caller, run_id: FromPath[str]) -> Finished:
    """Answer once the probe's run is completed; not in time is our fault, and booked as such."""
    if principal.tenant_id != PROBE:
        raise NotTheProbe
    began = time.monotonic()
    wait_s = mesh.playbook.measurement.probe.run_wait.total_seconds()
    while True:
        run = await Runs(await unit.begin(), mesh.clock).get(run_id)
        await unit.settle()
        waited_s = time.monotonic() - began
        if run.state in _OVER or waited_s >= wait_s:
            break
        await asyncio.sleep(PAUSE_S)
    unit.object = run_id
    unit.waited(int(waited_s * 1_000_000))
    if run.state != _COMPLETED:
        raise RunUnfinished(run=run_id, state=run.state, waited_s=round(waited_s, 1))
    return Finished(run_id, run.state)
