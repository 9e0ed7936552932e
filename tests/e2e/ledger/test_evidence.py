"""Nobody changes evidence unseen, and each tenant sees its own."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Databases
from tests.e2e.ledger.conftest import Superuser

from ai_agent_mesh.evidence import audited
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.http import page_of
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger import (
    Check,
    Ledger,
    export,
    verify,
)


async def exported(databases: Databases, tenant: str | None = None) -> list[bytes]:
    return [line async for line in export(databases.operations, tenant=tenant)]


FORGED = """
UPDATE ledger_entry SET bytes = forged, digest = sha256(forged)
FROM (SELECT convert_to(replace(convert_from(bytes, 'UTF8'), '200', '503'), 'UTF8') AS forged
      FROM ledger_entry WHERE seq = 6) AS other
WHERE seq = 6
"""
SWAPPED = """
UPDATE ledger_entry SET seq = 102 WHERE seq = 2;
UPDATE ledger_entry SET seq = 2 WHERE seq = 5;
UPDATE ledger_entry SET seq = 5 WHERE seq = 102
"""
TAIL_REMOVED = """
DELETE FROM ledger_batch WHERE batch = 3;
DELETE FROM ledger_entry WHERE batch = 3
"""
TAMPERING = [
    ("UPDATE ledger_entry SET bytes = overlay(bytes PLACING 'x' FROM 3) WHERE seq = 6",
     Check.BYTES, "seq 6"),
    (FORGED, Check.ROOT, "batch 2"),
    ("DELETE FROM ledger_entry WHERE seq = 6", Check.SEQUENCE, "seq 6"),
    ("DELETE FROM ledger_entry WHERE seq = 12", Check.SEQUENCE, "seq 12"),
    ("DELETE FROM ledger_entry WHERE seq = 6", Check.NUMBERING, "seq 9"),
    (SWAPPED, Check.NUMBERING, "seq 2"),
    ("DELETE FROM ledger_batch WHERE batch = 2", Check.SEQUENCE, "batch 3"),
    (TAIL_REMOVED, Check.HEAD, "head"),
    ("UPDATE ledger_batch SET at = at - interval '1 hour' WHERE batch = 2",
     Check.SIGNATURE, "batch 2"),
    ("UPDATE ledger_entry SET at = at - interval '40 days' WHERE seq = 3", Check.BYTES, "seq 3"),
    ("UPDATE ledger_entry SET tenant_id = 'tnt_c' WHERE seq = 3", Check.BYTES, "seq 3"),
    ("UPDATE ledger_tenant_head SET number = 3 WHERE tenant_id = 'tnt_b'",
     Check.HEAD, "tenant tnt_b"),
    ("DELETE FROM ledger_key", Check.SIGNATURE, "batch 1"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "check", "place"), TAMPERING)
async def test_tampering_in_the_database_is_named_with_its_place(
    filled: Databases, superuser: Superuser, sql: str, check: Check, place: str
) -> None:
    assert (await verify(filled.operations)).sound
    await superuser.execute(sql)
    report = await verify(filled.operations)
    assert (check, place) in {(one.check, one.place) for one in report.failures}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_minute SET valid = valid - 1 WHERE tenant_id = 'tnt_a'",
        "UPDATE ledger_minute SET within_p99 = 0 WHERE tenant_id = 'tnt_a'",
        "DELETE FROM ledger_minute WHERE tenant_id = 'tnt_a'",
        "UPDATE ledger_sketch SET bucket = bucket + 1 WHERE tenant_id = 'tnt_a'",
        "UPDATE ledger_minute SET minute = minute - interval '9 days' WHERE tenant_id = 'tnt_a'",
    ],
)
async def test_a_roll_up_that_differs_from_a_recount_is_named(
    filled: Databases, superuser: Superuser, sql: str
) -> None:
    await superuser.execute(sql)
    (failure,) = (await verify(filled.operations)).failures
    assert failure.check is Check.ROLLUP
    assert failure.place.startswith("tnt_a ")


async def test_a_ledger_of_another_key_does_not_pass_for_ours(
    filled: Databases, signer: Signer, tmp_path: Path
) -> None:
    assert (await verify(filled.operations, pinned=[signer.public_bytes])).sound
    other = Signer.load_or_create(tmp_path / "other.key")
    report = await verify(filled.operations, pinned=[other.public_bytes])
    assert [one.check for one in report.failures] == [Check.SIGNATURE]


async def test_an_export_proves_itself_without_the_database(
    filled: Databases, signer: Signer
) -> None:
    report = audited(await exported(filled), pinned=[signer.public_bytes])
    assert report.sound, report.failures
    assert (report.batches, report.entries) == (3, 12)


async def test_one_tenant_s_export_proves_itself_and_tells_nothing_of_the_others(
    filled: Databases, signer: Signer
) -> None:
    lines = await exported(filled, "tnt_a")
    report = audited(lines, pinned=[signer.public_bytes])
    assert report.sound, report.failures
    assert report.tenants == {"tnt_a": 4}
    entries = [line for line in lines if b'"type":"entry"' in line]
    assert not any(b"tnt_b" in line or b"probe" in line for line in entries)


async def test_a_span_is_exported_whole_and_unbroken(filled: Databases) -> None:
    async with filled.operations.transaction() as tx:
        times = await tx.fetch("SELECT at FROM ledger_entry ORDER BY at")
    since, until = times[4]["at"], times[7]["at"] + timedelta(microseconds=1)
    lines = [line async for line in export(filled.operations, since=since, until=until)]
    assert audited(lines).sound
    said = [json.loads(json.loads(line)["text"])["at"] for line in lines if b'"entry"' in line]
    assert len(said) >= 4
    own = [
        line async for line in export(filled.operations, tenant="tnt_b", since=since, until=until)
    ]
    report = audited(own)
    assert report.sound, report.failures
    assert 0 < report.entries < 4


async def test_a_tenant_reads_its_own_entries_page_by_page(filled: Databases) -> None:
    numbers: list[int] = []
    cursor = None
    while True:
        async with filled.app.tenant("tnt_a") as tx:
            page = await Ledger(tx).entries(page_of(3, cursor))
        numbers += [entry.number for entry in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert numbers == [4, 3, 2, 1]
    assert all(one > other for one, other in pairwise(numbers))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_minute", "ledger_sketch"])
async def test_a_tenant_sees_its_own_evidence_and_the_probe_s(
    filled: Databases, table: str
) -> None:
    async def seen(database: Database, tenant: str | None) -> set[str]:
        opened = database.tenant(tenant) if tenant else database.transaction()
        async with opened as tx:
            rows = await tx.fetch(f"SELECT DISTINCT tenant_id FROM {table}")
        return {row["tenant_id"] for row in rows}

    assert await seen(filled.app, "tnt_a") == {"tnt_a", "probe"}
    assert await seen(filled.app, None) == {"probe"}
    assert await seen(filled.operations, None) == {"tnt_a", "tnt_b", "probe"}


REFUSED = [
    "UPDATE ledger_entry SET number = number",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry",
    "UPDATE ledger_batch SET batch = batch",
    "DELETE FROM ledger_batch",
    "TRUNCATE ledger_batch",
    "DELETE FROM ledger_key",
    "UPDATE ledger_playbook SET latency = '{}'",
]


@pytest.mark.parametrize("sql", REFUSED)
@pytest.mark.parametrize("who", ["app", "operations", "ledger"])
async def test_no_role_may_change_or_remove_evidence(filled: Databases, who: str, sql: str) -> None:
    database: Database = getattr(filled, who)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tenant("tnt_a") as tx:
            await tx.execute(sql)


@pytest.mark.parametrize("sql", REFUSED)
async def test_not_even_the_owner_changes_evidence_by_accident(filled: Databases, sql: str) -> None:
    owner = await asyncpg.connect(filled.migrate_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(sql)
    finally:
        await owner.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO ledger_inbox VALUES ('x', 'tnt_b', now(), '')",
        "SELECT FROM ledger_inbox",
        "DELETE FROM ledger_inbox",
        "INSERT INTO ledger_entry VALUES (99, 'tnt_a', 99, 'x', now(), 'call', '', '', 1)",
        "UPDATE ledger_minute SET bad = 0",
        "UPDATE ledger_head SET seq = 0",
        "SELECT FROM ledger_tenant_head",
    ],
)
async def test_the_application_may_only_add_to_its_own_inbox(filled: Databases, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with filled.app.tenant("tnt_a") as tx:
            await tx.execute(sql)
