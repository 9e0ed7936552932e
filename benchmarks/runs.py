"""The CPU of a run with five outside steps, beside five bare DBOS steps in the same process.

Both do the same outside work (one HTTP request to a service in another process) and both end on
disk. CPU is that of this process; the database's and the service's are their own.
"""

import asyncio
import contextlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.crypto import MasterKey, Vault
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy, guarded_client
from ai_agent_mesh.plumbing.jobs import Engine, Lease
from ai_agent_mesh.plumbing.postgres import Database, Role, migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer
from ai_agent_mesh.product.agents import Invoker
from ai_agent_mesh.product.governance import Gate, Policies
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.identity import Role as Rank
from ai_agent_mesh.product.orchestration import (
    Equipment,
    ExpressionPool,
    Runner,
    Runs,
    Workflows,
)
from benchmarks.figures import Figure

RUNS, STEPS = 100, 5
TENANT = "tnt_01hzzzzzzzzzzzzzzzzzzzzzzz"
PERMIT = """permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp",
  resource is Mesh::Endpoint);"""


@dataclass(frozen=True)
class Took:
    """One way of doing it."""

    what: str
    runs: int
    cpu_ms_a_run: float
    wall_ms_a_run: float


async def measured(what: str, work: Callable[[], Awaitable[None]]) -> Took:
    """Run `work`, which does RUNS runs, and say what each took."""
    before, began = _cpu(), time.perf_counter()
    await work()
    cpu, wall = _cpu() - before, time.perf_counter() - began
    return Took(what, RUNS, cpu / RUNS * 1000, wall / RUNS * 1000)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run() -> list[Figure]:
    """Return the one figure that design asks for: our CPU in terms of DBOS's own."""
    bare, own = await main()
    ratio = own.cpu_ms_a_run / bare.cpu_ms_a_run
    said = f"{own.cpu_ms_a_run:.1f} ms CPU, {own.wall_ms_a_run:.0f} ms"
    beside = f"5 bare DBOS steps: {bare.cpu_ms_a_run:.1f} ms CPU, {bare.wall_ms_a_run:.0f} ms"
    return [Figure("run with 5 outside steps", said, "at most 1.3 times", beside, f"{ratio:.2f}")]


async def main() -> list[Took]:
    """Measure both in turns and return the better of three rounds of each."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        urls = await server.start()
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.service", stdout=asyncio.subprocess.PIPE
        )
        try:
            if service.stdout is None:
                raise RuntimeError("the service has no output")
            url = f"http://127.0.0.1:{int(await service.stdout.readline())}/"
            await migrate(urls.migrate, "mesh_login")
            return await compared(urls.login, Path(folder), url)
        finally:
            service.kill()
            await service.wait()
            await server.stop()


async def compared(login: str, folder: Path, url: str) -> list[Took]:
    """Set both up on one database, and measure."""
    app = await Database.open(login, Role.APP)
    operations = await Database.open(login, Role.OPERATIONS)
    lease = Lease(app, timedelta(minutes=10))
    await lease.acquire()
    engine = Engine(login, lease.worker_id, poll_s=0.02)
    clock, gate = SystemClock(), Gate()
    policy = AddressPolicy((ip_network("127.0.0.0/8"),))
    async with (
        ExpressionPool() as expressions,
        guarded_client(policy, body_limit_bytes=1_000_000) as http,
    ):
        vault = Vault(MasterKey.load_or_create(folder / "master.key"))
        runner = Runner(
            Equipment(
                app=app,
                operations=operations,
                clock=clock,
                lease=lease,
                gate=gate,
                invoker=Invoker({}, gate, vault, clock),
                http=http,
                expressions=expressions,
                playbook_digest="0" * 64,
            )
        )
        bare = bare_workflow(http, url)
        await engine.launch(runner.run)
        await prepared(app, url, expressions)
        ours, theirs = partial(our_runs, app, gate), partial(bare_runs, bare)
        await ours()
        await theirs()
        rounds = [
            (await measured("5 bare DBOS steps", theirs), await measured("run, 5 steps", ours))
            for _ in range(3)
        ]
        await engine.close()
    for pool in (app, operations):
        await pool.close()
    return [min(pair, key=lambda f: f.cpu_ms_a_run) for pair in zip(*rounds, strict=True)]


def bare_workflow(http: httpx.AsyncClient, url: str) -> Callable[[str], Awaitable[None]]:
    """Return a DBOS workflow of five steps that each send one request."""
    from dbos import DBOS

    @DBOS.step()
    async def send(key: str) -> str:
        response = await http.post(url, json={"n": 1}, headers={"Idempotency-Key": key})
        return response.text

    @DBOS.workflow()
    async def five(key: str) -> None:
        for number in range(STEPS):
            await send(f"{key}{number}")

    return five


async def bare_runs(five: Callable[[str], Awaitable[None]]) -> None:
    """Queue RUNS bare workflows and wait for them."""
    from dbos import DBOS

    typed: Any = five  # DBOS's own wrapper
    handles = [await DBOS.enqueue_workflow_async("runs", typed, new_id("x")) for _ in range(RUNS)]
    for handle in handles:
        await handle.get_result()


async def prepared(app: Database, url: str, expressions: ExpressionPool) -> None:
    """Write the workflow and its policy."""
    tasks = [
        {f"t{n}": {"call": "http", "with": {"method": "post", "endpoint": url, "body": {"n": 1}}}}
        for n in range(STEPS)
    ]
    header = {"dsl": "1.0.0", "namespace": "bench", "name": "five", "version": "1.0.0"}
    async with app.tenant(TENANT) as tx:
        await Policies(tx).install_starter()
        await Policies(tx).put("any-http", PERMIT)
        text = json.dumps({"document": header, "do": tasks})
        await Workflows(tx, SystemClock()).put(text, "bench", expressions)


async def our_runs(app: Database, gate: Gate) -> None:
    """Start RUNS runs and wait for them."""
    by = Principal(TENANT, "enterprise", "usr_bench", None, Rank.OWNER)
    for _ in range(RUNS):
        async with app.tenant(TENANT) as tx:
            await Runs(tx, SystemClock()).start("five", {}, by, gate)
    while True:
        async with app.tenant(TENANT) as tx:
            left = await tx.fetchval("SELECT count(*) FROM run WHERE state <> 'completed'")
        if not left:
            return
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        bare_figure, own_figure = asyncio.run(main())
        ratio = own_figure.cpu_ms_a_run / bare_figure.cpu_ms_a_run
        if "--json" in sys.argv:
            print(json.dumps({"bare": asdict(bare_figure), "run": asdict(own_figure)}))
        else:
            for figure in (bare_figure, own_figure):
                cpu, wall = figure.cpu_ms_a_run, figure.wall_ms_a_run
                print(f"{figure.what:20} {cpu:7.2f} ms CPU a run {wall:7.2f} ms wall a run")
            print(f"{'ratio':20} {ratio:7.2f}")
