"""While the database is away evidence waits on disk, and is imported afterwards, marked late."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
from tests.conftest import Databases
from tests.e2e.ledger.conftest import Recorded

from ai_agent_mesh.product.ledger import Entry, Inbox, Receipt, Sequencer, Spool, verify
from ai_agent_mesh.sla import Fault


async def waiting(databases: Databases) -> dict[str, bytes]:
    """Return the inbox's rows by id."""
    async with databases.operations.transaction() as tx:
        return {row["id"]: row["bytes"] for row in await tx.fetch("SELECT * FROM ledger_inbox")}


async def test_a_spooled_entry_is_imported_late_with_the_bytes_of_its_receipt(
    databases: Databases, call: Recorded, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    receipts = await asyncio.gather(*(spool.keep(call()) for _ in range(50)))
    assert await spool.drain(databases.ledger) == 50
    kept = await waiting(databases)
    assert {Receipt.of(one, raw) for one, raw in kept.items()} == set(receipts)
    assert all(Entry.decode(raw).late for raw in kept.values())
    assert not list(tmp_path.iterdir())
    assert await spool.drain(databases.ledger) == 0


async def test_an_import_that_is_repeated_adds_nothing(
    databases: Databases, call: Recorded, tmp_path: Path
) -> None:
    spool, one = Spool(tmp_path), call()
    await asyncio.gather(spool.keep(one), spool.keep(one))
    assert await spool.drain(databases.ledger) == 1
    await spool.keep(one)
    assert await spool.drain(databases.ledger) == 0


async def test_a_refusal_stands_beside_an_entry_that_was_durable_after_all(
    databases: Databases,
    inbox: Inbox,
    sequencer: Callable[..., Sequencer],
    call: Recorded,
    tmp_path: Path,
) -> None:
    """Every receipt that was given holds, also when the commit was confirmed too late."""
    spool, served, holder = Spool(tmp_path), call(), sequencer()
    refused = msgspec.structs.replace(served, status=503, fault=Fault.PLATFORM)
    epoch = await holder.take_over()
    assert epoch is not None
    given = [await inbox.append(served)]
    await holder.number(epoch)
    given.append(await spool.keep(refused))
    assert await spool.drain(databases.ledger) == 1
    await holder.number(epoch)
    async with databases.operations.transaction() as tx:
        rows = await tx.fetch("SELECT id, digest FROM ledger_entry ORDER BY seq")
    assert [Receipt(row["id"], row["digest"]) for row in rows] == given
    assert (await verify(databases.operations)).sound


async def test_the_file_of_a_living_process_is_left_to_it(
    databases: Databases, call: Recorded, tmp_path: Path
) -> None:
    living, other = Spool(tmp_path), Spool(tmp_path)
    await living.keep(call())
    assert await other.drain(databases.ledger) == 0
    await living.keep(call())
    assert await living.drain(databases.ledger) == 2


async def test_what_a_killed_process_left_is_imported_without_its_torn_last_line(
    databases: Databases, call: Recorded, tmp_path: Path
) -> None:
    whole, torn = call().canonical, call().canonical[:50]
    (tmp_path / "spl_1.ndjson").write_bytes(whole + b"\n" + torn)
    assert await Spool(tmp_path).drain(databases.ledger) == 1


async def test_a_broken_file_is_put_aside_and_does_not_stop_the_others(
    databases: Databases, call: Recorded, tmp_path: Path
) -> None:
    (tmp_path / "spl_1.ndjson").write_bytes(b"nonsense\n")
    (tmp_path / "spl_2.ndjson").write_bytes(call().canonical + b"\n")
    assert await Spool(tmp_path).drain(databases.ledger) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["spl_1.broken"]
