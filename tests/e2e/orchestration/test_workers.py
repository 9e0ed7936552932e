"""Accepted means never lost: workers are killed, stopped, added, and paused."""

import asyncio
import os
import signal
import sys

import asyncpg
from tests.e2e.orchestration.conftest import TENANT, House, Service, until

FIVE = (
    "do: ["
    + ",".join(
        f"{{t{n}: {{call: http, with: {{method: post, endpoint: 'URL/slow/1',"
        f" body: '${{ {{run: $workflow.id, n: {n}}} }}'}}}}}}"
        for n in range(5)
    )
    + ", {d: {set: {ok: true}}}]"
)


def five(service: Service) -> str:
    """Return five outside tasks in a row, each taking a second."""
    return FIVE.replace("URL", service.url)


async def called(service: Service, times: int) -> bool:
    """Tell whether the service was called so often."""
    return len(service.calls) >= times


async def test_a_stopped_worker_hands_over_at_once(house: House, service: Service) -> None:
    await house.put("slow", five(service).replace("/slow/1", "/slow/20"))
    await house.worker()
    await house.worker()
    run = await house.start("slow")
    await until(lambda: called(service, 1))
    owner = await house.owner(run.id)
    first = await house.worker_of(run.id)
    first.signal(signal.SIGTERM)
    assert await asyncio.wait_for(first.process.wait(), 60) == 0, first.log.read_text()
    await until(lambda: called(service, 2))
    assert len({key for _, key, _ in service.calls}) == 1
    assert await house.owner(run.id) != owner


_WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'mesh_app'
    AND wait_event_type = 'Lock' AND query LIKE '%FROM run WHERE id%FOR NO KEY UPDATE%')
"""
_IDLE = """
SELECT EXISTS (SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'mesh_app'
    AND state = 'idle in transaction' AND query LIKE '%FROM run WHERE id%FOR NO KEY UPDATE%')
"""


async def test_a_worker_stopped_in_the_middle_of_a_steps_transaction_writes_nothing(
    house: House, service: Service
) -> None:
    await house.put("five", five(service).replace("/slow/1", "/slow/0.2"))
    await house.worker()
    await house.worker()
    owner = await asyncpg.connect(house.databases.migrate_url)
    watch = await asyncpg.connect(house.databases.migrate_url)
    run = await house.start("five")
    await until(lambda: called(service, 2))
    first = await house.worker_of(run.id)
    # Whoever holds the row keeps the step waiting inside of its transaction, its lease in hand.
    async with owner.transaction():
        await owner.fetchval("SELECT id FROM run WHERE id = $1 FOR UPDATE", run.id)
        await until(lambda: watch.fetchval(_WAITS))
        first.signal(signal.SIGSTOP)
    await until(lambda: watch.fetchval(_IDLE))
    await watch.close()
    await owner.close()
    shown = await house.ended(run.id)
    before = await house.show(run.id)
    first.signal(signal.SIGCONT)
    assert await asyncio.wait_for(first.process.wait(), 60) == 75
    assert (await house.show(run.id)) == before
    assert shown.state == "completed"
    assert set(service.effects.values()) == {1}
    assert len(service.effects) == 5
    assert len(await house.entries("task")) == 5


async def test_two_workers_lose_and_double_nothing(house: House, service: Service) -> None:
    await house.put("five", five(service).replace("/slow/1", "/slow/0.2"))
    await house.worker()
    await house.worker()
    runs = [await house.start("five") for _ in range(50)]
    ended = [await house.ended(run.id, within_s=60) for run in runs]
    assert {shown.state for shown in ended} == {"completed"}
    assert len(service.effects) == 250
    assert set(service.effects.values()) == {1}
    assert len(service.calls) == 250
    async with house.databases.operations.transaction() as tx:
        owners = await tx.fetch("SELECT DISTINCT owner FROM run")
    assert len(owners) == 2


ACCEPT = """
import asyncio, os, signal, sys
sys.path.insert(0, os.getcwd())
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.governance import Gate
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.identity.roles import Role as Rank
from ai_agent_mesh.product.orchestration import Runs
from ai_agent_mesh.kernel.clock import SystemClock

async def main():
    database = await Database.open(sys.argv[1], Role.APP)
    async with database.tenant(sys.argv[2]) as tx:
        by = Principal(sys.argv[2], "free", "usr_x", None, Rank.OWNER)
        run = await Runs(tx, SystemClock()).start("quick", {}, by, Gate())
    print(run.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_run_accepted_by_a_process_that_dies_is_run(house: House) -> None:
    await house.put("quick", "do: [{d: {set: {ok: true}}}]")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ACCEPT, house.databases.url, TENANT, stdout=-1, env=dict(os.environ)
    )
    out, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    await house.worker()
    shown = await house.ended(out.decode().strip())
    assert shown.output == {"ok": True}


async def test_an_undone_acceptance_leaves_nothing_in_the_queue(house: House) -> None:
    await house.put("quick", "do: [{d: {set: {ok: true}}}]")
    from tests.e2e.orchestration.conftest import CLOCK

    from ai_agent_mesh.product.orchestration import Runs

    tx = await house.databases.app.begin(TENANT)
    await Runs(tx, CLOCK).start("quick", {}, house.principal, house.gate)
    await house.databases.app.rollback(tx)
    link = await asyncpg.connect(house.databases.migrate_url)
    assert await link.fetchval("SELECT count(*) FROM dbos.workflow_status") == 0
    await house.start("quick")
    assert await link.fetchval("SELECT count(*) FROM dbos.workflow_status") == 1
    inputs = await link.fetchval("SELECT inputs FROM dbos.workflow_input")
    await link.close()
    assert "owner" not in inputs
    assert TENANT in inputs
