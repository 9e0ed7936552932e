"""What the database itself lets the application see and write, whatever the application asks."""

from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.conftest import Databases
from tests.e2e.crossing.conftest import Theirs

if TYPE_CHECKING:
    Link = asyncpg.Connection[asyncpg.Record]

#: What the application may touch that is nobody's, and why that tells no tenant of another.
NOBODYS = {
    "incident": "what everybody is told; `platform` alone writes it",
    "incident_act": "the same, act by act",
    "maintenance": "what everybody is told; `platform` alone writes it",
    "maintenance_act": "the same, and the order that it was said in",
    "ledger_playbook_text": "texts of playbooks, which are published",
    "notice": "what every subscriber of a topic is told, the same for all",
    "ledger_batch": "roots of trees and their signatures",
    "ledger_key": "public keys",
    "ledger_playbook": "digests of playbooks, which are published",
    "rate_window": "counts by tenant, which no route reads out",
    "scheduled_job": "names of jobs and moments",
    "worker_lease": "processes of this installation",
}
#: Functions that the application may call with another role's rights.
DEFINERS = {"mesh_jobs.enqueue"}
TABLES = """
SELECT c.oid::regclass::text AS name, c.relkind AS kind,
       c.relrowsecurity AND c.relforcerowsecurity AS forced,
       has_table_privilege('mesh_app', c.oid, 'SELECT') AS readable,
       (SELECT min(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
        AND (a.attname = 'tenant_id' OR c.relname = 'tenant' AND a.attname = 'id')) AS owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema)'
  AND (has_any_column_privilege('mesh_app', c.oid, 'SELECT, INSERT, UPDATE')
       OR has_table_privilege('mesh_app', c.oid, 'DELETE, TRUNCATE'))
ORDER BY 1
"""
FUNCTIONS = """
SELECT p.oid::regproc::text FROM pg_proc p WHERE p.prosecdef
AND has_function_privilege('mesh_app', p.oid, 'EXECUTE')
"""


async def as_app(link: "Link", tenant: str) -> None:
    """Be the application, for a tenant (or none) until the transaction ends."""
    await link.execute(f"SET LOCAL ROLE mesh_app; SET LOCAL mesh.tenant_id = '{tenant}'")


async def touched(link: "Link", statement: str) -> int:
    """Return how many rows a statement touches, none where it is refused altogether."""
    try:
        async with link.transaction():
            return int((await link.execute(statement)).rpartition(" ")[2])
    except asyncpg.InsufficientPrivilegeError:
        return 0


async def test_whatever_the_application_may_touch_is_a_tenants_or_listed(inside: "Link") -> None:
    tables = await inside.fetch(TABLES)
    assert len(tables) > 20
    nobodys = {table["name"] for table in tables if table["owner"] is None}
    assert nobodys == set(NOBODYS), "put it under mesh_tenant_table, or say here why not"
    assert [table["name"] for table in tables if table["owner"] and not table["forced"]] == []
    # A view reads with its owner's rights, and an owner who is no superuser is bound; others not.
    assert [table["name"] for table in tables if table["kind"] != b"r"] == []
    assert {row[0] for row in await inside.fetch(FUNCTIONS)} == DEFINERS
    assert not await inside.fetchval(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'mesh_app'"
    )


@pytest.mark.parametrize("whose", ["nobody", "another tenant"])
async def test_not_one_row_of_anothers_is_seen_or_written_in_any_table(
    theirs: Theirs, inside: "Link", whose: str
) -> None:
    filled = 0
    for table in await inside.fetch(TABLES):
        name, owner = table["name"], table["owner"]
        if owner is None:
            continue
        of_theirs = f"FROM {name} WHERE {owner} = '{theirs.tenant}'"
        async with inside.transaction():
            await as_app(inside, theirs.tenant)
            filled += table["readable"] and bool(await inside.fetch(f"SELECT 1 {of_theirs}"))
            await as_app(inside, "" if whose == "nobody" else "tnt_other")
            if table["readable"]:
                seen = await inside.fetch(f"SELECT {owner} FROM {name}")
                assert {row[0] for row in seen} <= {"probe"}, name  # the probe's are public
            where = of_theirs.removeprefix(f"FROM {name} ")
            change = f"UPDATE {name} SET {owner} = {owner} {where}"
            assert await touched(inside, change) == 0, name
            assert await touched(inside, f"DELETE {of_theirs}") == 0, name
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with inside.transaction():
                    await inside.execute(f"INSERT INTO {name} ({owner}) VALUES ('{theirs.tenant}')")
    assert filled > 12


async def test_a_connection_forgets_whom_it_read_for(databases: Databases) -> None:
    app = databases.app
    for tenant in ("tnt_a", "tnt_b"):
        async with app.tenant(tenant) as tx:
            await tx.execute("INSERT INTO idempotency (key, request) VALUES ($1, '')", tenant)
    for tenant in ("tnt_a", "tnt_b", "tnt_b", "tnt_a"):
        reading = await app.read(tenant)
        assert [row["key"] for row in await reading.fetch("SELECT key FROM idempotency")] == [
            tenant
        ]
        await app.rollback(reading)
    for tenant in ("tnt_a", "tnt_b", "tnt_b", "tnt_a"):
        reading = await app.read(tenant)
        assert [row["key"] for row in await reading.fetch("SELECT key FROM idempotency")] == [
            tenant
        ]
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reading.execute("DELETE FROM idempotency")
        await app.rollback(reading)
        async with app.tenant("tnt_c") as tx:
            assert await tx.fetch("SELECT key FROM idempotency") == []
            await tx.execute("INSERT INTO idempotency (key, request) VALUES ('k', '')")
            await tx.execute("DELETE FROM idempotency")
        async with app.transaction() as tx:
            assert await tx.fetch("SELECT key FROM idempotency") == []
        reading = await app.read(tenant)
        await app.rollback(reading)
        assert await app.execute("SELECT key FROM idempotency") == 0
    assert app.in_use == 0
    assert app._pool.get_size() == 1
