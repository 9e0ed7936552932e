"""Leases end once, schedules fire once, and a fenced transaction commits nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import Databases
from tests.e2e.wire import wire

from ai_agent_mesh.kernel.clock import FixedClock, SystemClock
from ai_agent_mesh.plumbing.jobs import (
    Engine,
    Fenced,
    Lease,
    Reaper,
    Scheduled,
    Schedules,
    enqueue,
)
from ai_agent_mesh.plumbing.postgres import DatabaseAway

SHORT = timedelta(milliseconds=200)


async def test_a_lapsed_lease_is_ended_by_one_of_many(databases: Databases) -> None:
    lease = Lease(databases.app, SHORT)
    await lease.acquire()
    taken: list[str] = []

    async def requeue(workers: Sequence[str]) -> int:
        taken.extend(workers)
        return 0

    reapers = [Reaper(databases.app, requeue) for _ in range(5)]
    assert await reapers[0].take() is None
    await asyncio.sleep(0.3)
    ended = await asyncio.gather(*(reaper.take() for reaper in reapers))
    assert [worker for worker in ended if worker] == [lease.worker_id]
    assert taken == [lease.worker_id]


async def test_nothing_commits_after_the_lease_has_ended(databases: Databases) -> None:
    lease = Lease(databases.app, SHORT)
    await lease.acquire()
    async with databases.app.transaction() as tx:
        await lease.check(tx)

    async def requeue(_workers: object) -> int:
        return 0

    await Reaper(databases.app, requeue).take(lease.worker_id)
    async with databases.app.transaction() as tx:
        with pytest.raises(Fenced):
            await lease.check(tx)
    assert lease.lost.is_set()


async def test_a_step_that_stops_in_its_transaction_does_not_keep_its_lease(
    databases: Databases,
) -> None:
    lease = Lease(databases.app, SHORT)
    await lease.acquire()

    async def requeue(_workers: object) -> int:
        return 0

    tx = await databases.app.begin(None)
    await lease.check(tx)
    async with asyncio.timeout(5):
        while await Reaper(databases.app, requeue).take() != lease.worker_id:
            await asyncio.sleep(0.05)
    with pytest.raises(DatabaseAway):
        await databases.app.commit(tx)


async def test_a_reaper_that_stops_halfway_keeps_no_lease_from_the_others(
    databases: Databases,
) -> None:
    lease = Lease(databases.app, SHORT)
    await lease.acquire()
    halfway = asyncio.Event()

    async def stop_here(_workers: object) -> int:
        halfway.set()
        await asyncio.sleep(3600)
        return 0

    async def requeue(_workers: object) -> int:
        return 0

    stopped = Reaper(databases.app, stop_here, length=SHORT)

    async def reap() -> None:
        while await stopped.take() is None:
            await asyncio.sleep(0.05)

    reaping = asyncio.create_task(reap())
    await halfway.wait()
    assert await Reaper(databases.app, requeue).take() is None
    async with asyncio.timeout(30):
        while await Reaper(databases.app, requeue).take() != lease.worker_id:
            await asyncio.sleep(0.05)
    reaping.cancel()
    await asyncio.gather(reaping, return_exceptions=True)


async def test_a_lease_is_not_ended_under_an_open_step(databases: Databases) -> None:
    lease = Lease(databases.app, SHORT)
    await lease.acquire()

    async def requeue(_workers: object) -> int:
        return 0

    async with databases.app.transaction() as tx:
        await lease.check(tx)
        await tx.execute("SELECT pg_sleep(0.3)")
        assert await Reaper(databases.app, requeue).take() is None
    assert await Reaper(databases.app, requeue).take() == lease.worker_id


async def test_a_due_job_fires_once_however_many_workers_look(databases: Databases) -> None:
    clock = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))
    fired: list[datetime] = []

    async def fire(now: datetime) -> None:
        fired.append(now)

    job = Scheduled("count", timedelta(minutes=1), fire)
    workers = [Schedules(databases.app, clock, [job], f"wrk_{n}") for n in range(4)]
    await asyncio.gather(*(worker.fire_due() for worker in workers))
    assert len(fired) == 1
    clock.move(timedelta(seconds=61))
    await asyncio.gather(*(worker.fire_due() for worker in workers))
    assert len(fired) == 2


async def test_a_job_that_takes_long_keeps_no_other_waiting(databases: Databases) -> None:
    clock, stop, over = SystemClock(), asyncio.Event(), asyncio.Event()
    fired: list[str] = []

    async def slow(_now: datetime) -> None:
        fired.append("slow")
        await over.wait()

    async def quick(_now: datetime) -> None:
        fired.append("quick")
        if fired.count("quick") == 3:
            stop.set()

    soon = timedelta(milliseconds=20)
    jobs = [Scheduled("slow", soon, slow), Scheduled("quick", soon, quick)]
    keeping = asyncio.create_task(Schedules(databases.app, clock, jobs, "wrk_1").keep(stop, soon))
    await asyncio.wait_for(stop.wait(), 60)
    assert fired.count("slow") == 1
    over.set()
    await keeping


async def test_a_segment_whose_claim_was_never_confirmed_is_run_all_the_same(
    databases: Databases,
) -> None:
    done = asyncio.Event()

    async def segment(_tenant: str, _run: str, _number: int) -> None:
        done.set()

    with wire(databases.url) as laid:
        engine = Engine(laid.url, "wrk_lost", poll_s=0.05)
        await engine.launch(segment)
        cut = laid.cut(b"executor_id=$")  # what takes a segment says who takes it
        async with databases.app.tenant("tnt_x") as tx:
            await enqueue(tx, "run_x", 1)
        assert await asyncio.to_thread(cut.done.wait, 30)
        stop = asyncio.Event()
        keeping = asyncio.create_task(engine.keep(stop, timedelta(milliseconds=200)))
        await asyncio.wait_for(done.wait(), 60)
        stop.set()
        await keeping
        await engine.close()


async def test_done_segments_are_forgotten_and_others_are_kept(databases: Databases) -> None:
    lease = Lease(databases.app, timedelta(minutes=1))
    await lease.acquire()
    engine = Engine(databases.url, lease.worker_id, poll_s=0.05)
    done: list[int] = []
    go_on = asyncio.Event()

    async def segment(_tenant: str, _run: str, number: int) -> None:
        done.append(number)
        if number == 2:
            await go_on.wait()

    await engine.launch(segment)
    async with databases.app.tenant("tnt_x") as tx:
        await enqueue(tx, "run_x", 1)
        await enqueue(tx, "run_x", 2)
    while len(done) < 2:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    soon = datetime.now(UTC) + timedelta(seconds=5)
    assert await engine.forget(soon) == 1
    assert await engine.forget(soon) == 0
    go_on.set()
    await asyncio.sleep(0.3)
    await engine.close()


async def test_after_an_outage_all_may_renew_before_a_lapsed_one_counts_as_dead(
    databases: Databases,
) -> None:
    now = 0.0
    length = timedelta(seconds=10)
    own = Lease(databases.app, length, monotonic=lambda: now)
    dead = Lease(databases.app, length)
    for lease in (own, dead):
        await lease.acquire()

    async def requeue(_workers: Sequence[str]) -> int:
        return 0

    reaper = Reaper(databases.app, requeue, own)
    async with databases.app.transaction() as tx:
        await tx.execute("UPDATE worker_lease SET lease_until = now() - interval '1 s'")
    now = 30.0
    assert await reaper.take() is None  # its own has lapsed as well
    await own.renew()
    assert await reaper.take() is None  # the other may be about to renew
    now = 39.0
    await own.renew()
    now = 41.0
    assert await reaper.take() == dead.worker_id
