"""A pool lends each connection again, however it came back, and lets nobody wait for a free one."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from tests.conftest import Databases

from ai_agent_mesh.plumbing.postgres import Database, DatabaseAway, Role

TENANT = "tnt_a"
BREAK = "SELECT pg_terminate_backend(pg_backend_pid())"


async def test_who_comes_when_all_are_lent_gets_the_one_that_comes_back(
    databases: Databases,
) -> None:
    pool = await Database.open(databases.url, Role.APP, max_size=1)
    first = await pool.begin(TENANT)
    waiting = asyncio.ensure_future(pool.read(TENANT))
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    await pool.commit(first)
    second = await waiting
    assert await second.fetchval("SELECT 1") == 1
    await pool.rollback(second)
    await pool.close()


async def test_a_waiter_that_gives_up_leaves_its_turn_to_others(databases: Databases) -> None:
    pool = await Database.open(databases.url, Role.APP, max_size=1)
    first = await pool.begin(TENANT)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.begin(TENANT), 0.01)
    await pool.commit(first)
    assert pool._lent == 0
    row = await pool.fetchrow("SELECT 1 AS one")
    assert row is not None
    assert row["one"] == 1
    await pool.close()


async def test_connections_that_failed_or_broke_are_counted_as_given_back(
    databases: Databases,
) -> None:
    pool = await Database.open(databases.url, Role.APP, max_size=2)
    for _ in range(3):
        with suppress(asyncpg.PostgresError):
            async with pool.tenant(TENANT) as tx:
                await tx.execute("SELECT 1 / 0")
        with suppress(asyncpg.PostgresError):
            await pool.fetchrow("SELECT 1 / 0")
        with pytest.raises((DatabaseAway, asyncpg.PostgresError)):
            await pool.execute(BREAK)
    assert pool._lent == 0
    assert await pool.execute("SELECT 1") == 1
    await pool.close()
