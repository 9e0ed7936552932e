"""What the database itself guarantees to a tenant."""

import asyncpg
import pytest
from tests.conftest import Databases

from ai_agent_mesh.plumbing.postgres.tx import MalformedTenant


async def keys(databases: Databases, tenant: str) -> list[str]:
    """Return the idempotency keys that a tenant sees."""
    async with databases.app.tenant(tenant) as tx:
        return [row["key"] for row in await tx.fetch("SELECT key FROM idempotency")]


async def test_a_tenant_sees_its_own_rows_alone(databases: Databases) -> None:
    for tenant in ("tnt_a", "tnt_b"):
        async with databases.app.tenant(tenant) as tx:
            await tx.execute("INSERT INTO idempotency (key, request) VALUES ($1, '')", tenant)
    assert await keys(databases, "tnt_a") == ["tnt_a"]
    assert await keys(databases, "tnt_b") == ["tnt_b"]


async def test_without_a_tenant_no_row_is_visible(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await tx.execute("INSERT INTO idempotency (key, request) VALUES ('k', '')")
    async with databases.app.transaction() as tx:
        assert await tx.fetch("SELECT * FROM idempotency") == []


async def test_a_tenant_cannot_write_anothers_row(databases: Databases) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with databases.app.tenant("tnt_a") as tx:
            await tx.execute(
                "INSERT INTO idempotency (tenant_id, key, request) VALUES ('tnt_b', 'k', '')"
            )


async def test_operations_read_all_and_write_nothing(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await tx.execute("INSERT INTO idempotency (key, request) VALUES ('k', '')")
    async with databases.operations.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM idempotency") == 1
    async with databases.operations.transaction() as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.execute("DELETE FROM idempotency")


async def test_a_failed_act_leaves_nothing_behind(databases: Databases) -> None:
    with pytest.raises(ZeroDivisionError):
        await _fail_after_writing(databases)
    assert await keys(databases, "tnt_a") == []
    assert databases.app.in_use == 0


async def _fail_after_writing(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await tx.execute("INSERT INTO idempotency (key, request) VALUES ('k', '')")
        raise ZeroDivisionError


@pytest.mark.parametrize("tenant", ["", "a'; DROP TABLE idempotency; --", "a b", "A", "a\0"])
async def test_a_malformed_tenant_never_reaches_the_database(
    databases: Databases, tenant: str
) -> None:
    with pytest.raises(MalformedTenant):
        await databases.app.begin(tenant)
