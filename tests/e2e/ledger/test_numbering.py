"""Every acknowledged entry is numbered once and without a gap, whatever dies."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import pytest
from tests.conftest import Databases
from tests.e2e.ledger.conftest import Recorded, Superuser

from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import (
    Fenced,
    Inbox,
    LedgerUnavailable,
    Receipt,
    Sequencer,
    verify,
)
from ai_agent_mesh.product.ledger.sequencer import RESTS_FOR
from ai_agent_mesh.sla import Fault

Sequencers = Callable[..., Sequencer]


async def drained(databases: Databases, within_s: float = 10) -> None:
    """Wait until the inbox is empty."""
    async with asyncio.timeout(within_s):
        while True:
            async with databases.operations.transaction() as tx:
                if not await tx.fetchval("SELECT count(*) FROM ledger_inbox"):
                    return
            await asyncio.sleep(0.02)


async def numbers(databases: Databases) -> dict[str, list[int]]:
    """Return each tenant's numbers in the order of their sequence."""
    async with databases.operations.transaction() as tx:
        rows = await tx.fetch("SELECT tenant_id, number FROM ledger_entry ORDER BY seq")
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["tenant_id"], []).append(row["number"])
    return found


async def test_an_appended_entry_is_numbered_signed_and_added_up_within_a_second(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded, signer: Signer
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(sequencer().run(stop))
    await inbox.append(call())
    await drained(databases)
    receipts = [await inbox.append(one) for one in (call(), call(fault=Fault.PLATFORM))]
    await drained(databases, within_s=1)
    stop.set()
    await running
    async with databases.app.tenant("tnt_a") as tx:
        kept = await tx.fetch("SELECT id, number, digest FROM ledger_entry ORDER BY number")
        minute = await tx.fetchrow(
            "SELECT sum(calls) c, sum(bad) b, sum(timed) t FROM ledger_minute"
        )
    assert [row["number"] for row in kept] == [1, 2, 3]
    assert {Receipt(row["id"], row["digest"]) for row in kept} >= set(receipts)
    assert minute is not None
    assert tuple(minute) == (3, 1, 3)
    report = await verify(databases.operations, pinned=[signer.public_bytes])
    assert report.sound, report.failures
    assert report.tenants == {"tnt_a": 3}


async def test_entries_that_come_one_after_the_other_share_batches(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded
) -> None:
    stop, began = asyncio.Event(), monotonic()
    running = asyncio.create_task(sequencer().run(stop))
    while monotonic() < began + 1.5:
        await inbox.append(call())
        await asyncio.sleep(0.01)
    lasted_s = monotonic() - began
    await drained(databases)
    stop.set()
    await running
    async with databases.operations.transaction() as tx:
        batches = await tx.fetchval("SELECT count(*) FROM ledger_batch")
    rests_s = default().measurement.sequenced_within.total_seconds() * RESTS_FOR
    assert batches <= lasted_s / rests_s + 2


async def test_numbers_have_no_gap_under_concurrent_appends_and_two_sequencers(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded
) -> None:
    stop = asyncio.Event()
    lease = timedelta(milliseconds=300)
    running = [asyncio.create_task(sequencer(17, lease).run(stop)) for _ in range(2)]

    async def caller(tenant: str) -> None:
        for _ in range(40):
            await inbox.append(call(tenant))

    calling = asyncio.gather(*(caller(f"tnt_{n % 5}") for n in range(20)))
    while not calling.done():  # numbering goes on meanwhile, and what stands is sound all the time
        report = await verify(databases.operations)
        assert report.sound, report.failures
    await calling
    await drained(databases)
    stop.set()
    await asyncio.gather(*running)
    assert await numbers(databases) == {f"tnt_{n}": list(range(1, 161)) for n in range(5)}
    report = await verify(databases.operations)
    assert report.sound, report.failures
    assert report.entries == 800


async def test_a_sequencer_whose_lease_was_taken_over_writes_nothing(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded, superuser: Superuser
) -> None:
    paused, other = sequencer(), sequencer()
    epoch = await paused.take_over()
    assert epoch is not None
    assert await other.take_over() is None
    await inbox.append(call())
    await superuser.execute("UPDATE ledger_head SET leased_until = now() - interval '1 second'")
    later = await other.take_over()
    assert later is not None
    assert later > epoch
    with pytest.raises(Fenced):
        await paused.number(epoch)
    assert await numbers(databases) == {}
    assert await other.number(later) == 1
    assert await numbers(databases) == {"tnt_a": [1]}


async def test_a_sequencer_that_stops_with_the_lock_in_hand_is_put_out(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded
) -> None:
    lease = timedelta(milliseconds=300)
    await inbox.append(call())
    stuck, other = sequencer(lease=lease), sequencer(lease=lease)
    epoch = await stuck.take_over()
    assert epoch is not None
    reached = asyncio.Event()

    async def hang(*_args: object) -> None:
        reached.set()
        await asyncio.sleep(3)

    stuck._add = hang  # type: ignore[method-assign,assignment] # stands still, rows and lock in hand
    hanging = asyncio.create_task(stuck.number(epoch))
    await reached.wait()
    async with asyncio.timeout(2):
        while (later := await other.take_over()) is None:
            await asyncio.sleep(0.05)
        assert await other.number(later) == 1
    with pytest.raises(Exception, match=r".+"):
        await hanging
    assert await numbers(databases) == {"tnt_a": [1]}


async def test_a_sequencer_that_is_stopped_hands_over_at_once(
    sequencer: Sequencers, databases: Databases
) -> None:
    stop, holder = asyncio.Event(), sequencer()
    running = asyncio.create_task(holder.run(stop))
    async with asyncio.timeout(5):
        while not await _held(databases):
            await asyncio.sleep(0.02)
    assert await sequencer().take_over() is None
    stop.set()
    await running
    assert await sequencer().take_over() is not None


async def _held(databases: Databases) -> bool:
    async with databases.operations.transaction() as tx:
        return bool(await tx.fetchval("SELECT leased_until > clock_timestamp() FROM ledger_head"))


async def test_an_entry_that_comes_twice_is_numbered_once(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded
) -> None:
    one, holder = call(), sequencer()
    epoch = await holder.take_over()
    assert epoch is not None
    await asyncio.gather(inbox.append(one), inbox.append(one))
    await holder.number(epoch)
    await asyncio.gather(inbox.append(one), inbox.append(call()))
    await holder.number(epoch)
    assert await numbers(databases) == {"tnt_a": [1, 2]}
    assert (await verify(databases.operations)).sound


async def test_bytes_that_are_no_entry_do_not_stop_the_ledger(
    databases: Databases, inbox: Inbox, sequencer: Sequencers, call: Recorded
) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await tx.execute(
            "INSERT INTO ledger_inbox (id, at, bytes) VALUES ('a', now(), $1)", b"\xffnonsense"
        )
    await inbox.append(call())
    holder = sequencer()
    epoch = await holder.take_over()
    assert epoch is not None
    await holder.number(epoch)
    assert await numbers(databases) == {"tnt_a": [1, 2]}
    report = await verify(databases.operations)
    assert [(one.check, one.place) for one in report.failures] == [("bytes", "seq 1")]


async def test_an_entry_in_a_change_is_kept_with_the_change_or_not_at_all(
    databases: Databases, call: Recorded
) -> None:
    undone = await databases.app.begin("tnt_a")
    await Inbox.insert(undone, call())
    await databases.app.rollback(undone)
    async with databases.app.tenant("tnt_a") as tx:
        receipt = await Inbox.insert(tx, call())
    async with databases.operations.transaction() as tx:
        rows = await tx.fetch("SELECT id FROM ledger_inbox")
    assert [row["id"] for row in rows] == [receipt.entry_id]


async def test_an_entry_of_another_tenant_is_refused_in_a_change(
    databases: Databases, call: Recorded
) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        with pytest.raises(ValueError, match="tnt_b"):
            await Inbox.insert(tx, call("tnt_b"))


async def test_when_the_database_refuses_everybody_who_waits_hears_it(
    databases: Databases, inbox: Inbox, call: Recorded
) -> None:
    await inbox.append(call())
    await databases.ledger.close()
    answers = await asyncio.gather(
        *(inbox.append(call()) for _ in range(30)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {LedgerUnavailable}


async def test_a_full_inbox_refuses_instead_of_growing(
    databases: Databases, call: Recorded
) -> None:
    inbox = Inbox(databases.ledger, bound=3)
    inbox.start()
    answers = await asyncio.gather(
        *(inbox.append(call()) for _ in range(5)), return_exceptions=True
    )
    await inbox.stop()
    assert Counter(map(type, answers)) == {Receipt: 3, LedgerUnavailable: 2}


async def test_a_stopping_inbox_writes_what_waits_and_refuses_what_comes_later(
    databases: Databases, call: Recorded
) -> None:
    inbox = Inbox(databases.ledger)
    inbox.start()
    waiting = asyncio.create_task(inbox.append(call()))
    await asyncio.sleep(0)
    await inbox.stop()
    assert (await waiting).entry_id
    with pytest.raises(LedgerUnavailable):
        await inbox.append(call())
