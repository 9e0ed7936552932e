"""Migrating: once however many begin, whole or not at all, and never backwards."""

import asyncio
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.conftest import Server, named
from tests.e2e.conftest import MESH
from tests.e2e.crew import until
from tests.e2e.up.conftest import surroundings

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import (
    SchemaNewer,
    current_revision,
    head_revision,
    migrate,
)


@pytest.fixture
async def empty(postgres: Server) -> AsyncIterator[str]:
    """Make a database with nothing in it; return its owner's address."""
    name = f"mesh_empty_{new_id('t')[-12:]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}"')
    yield named(postgres.migrate, name)
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


async def test_a_schema_newer_than_the_code_is_left_alone_in_one_clear_line(
    database_urls: tuple[str, str], postgres: Server
) -> None:
    login, owner = database_urls
    link = await asyncpg.connect(owner)
    await link.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaNewer, match=f"revision 9999.*{head_revision()} is its newest"):
        await migrate(owner, postgres.user)
    process = await asyncio.create_subprocess_exec(
        *MESH, "migrate", env=surroundings(DATABASE_URL=login, MESH_MIGRATE_URL=owner), stderr=-1
    )
    _, complaint = await process.communicate()
    assert process.returncode == 1
    assert len(complaint.splitlines()) == 1
    assert b"start the newer version" in complaint
    assert await link.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await link.close()


async def test_those_who_migrate_at_once_do_it_once(empty: str, postgres: Server) -> None:
    done = await asyncio.gather(*(migrate(empty, postgres.user) for _ in range(3)))
    assert done == [head_revision()] * 3


async def test_a_migration_that_is_killed_leaves_nothing_and_the_next_one_works(
    empty: str, postgres: Server
) -> None:
    blocker, watcher = await asyncpg.connect(empty), await asyncpg.connect(empty)
    # The name that one of the migrations is about to take.
    await blocker.execute("BEGIN; CREATE TABLE ledger_entry (id int)")
    half = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        "import asyncio, sys; from ai_agent_mesh.plumbing.postgres import migrate;"
        " asyncio.run(migrate(sys.argv[1], sys.argv[2]))",
        empty, postgres.user,
    )  # fmt: skip
    stuck = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    await until(lambda: watcher.fetchval(stuck))
    half.kill()
    await half.wait()
    await blocker.execute("ROLLBACK")
    await blocker.close()
    alone = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database()"
    await until(lambda: watcher.fetchval(alone))
    await watcher.close()
    assert await current_revision(empty) is None
    assert await migrate(empty, postgres.user) == head_revision()


async def test_asking_for_the_revision_imports_nothing_that_migrates() -> None:
    said = (
        "import sys; from ai_agent_mesh.plumbing.postgres import head_revision; head_revision();"
        "print(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", said, stdout=-1)
    out, _ = await process.communicate()
    assert out == b"[]\n"
