"""An owner without any power over row-level security migrates what others see as well."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import Server, named
from tests.e2e.upgrade.record import ADDRESS

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import head_revision, migrate

RECORDED = Path(__file__).parent / "0008" / "database.sql.gz"
PLAIN = "NOSUPERUSER NOBYPASSRLS NOINHERIT CREATEROLE NOLOGIN"
MADE = ("mesh_app", "mesh_operations", "mesh_ledger", "mesh_dbos")
#: What takes back the memberships that a role gave to others.
GIVEN = """
SELECT format('REVOKE %s FROM %I GRANTED BY %I', roleid::regrole, member::regrole::text,
              grantor::regrole::text) AS sql
FROM pg_auth_members WHERE grantor = to_regrole($1)
"""
SUMS = "sum(calls), sum(valid), sum(bad), sum(timed), sum(within_p50), sum(within_p99)"


@pytest.fixture
async def owned(postgres: Server, template: str) -> AsyncIterator[tuple[str, str]]:  # noqa: ARG001 - makes the roles
    """Restore an older version's database as that of a plain role; return whose it is, and as whom
    one sees everything."""
    name = f"mesh_plain_{new_id('t')[-12:]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    await admin.execute(f'CREATE ROLE "{name}" {PLAIN}')
    for role in MADE:  # as if it had made them
        await admin.execute(f'GRANT {role} TO "{name}" WITH ADMIN OPTION')
    await admin.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    everything = named(postgres.migrate, name)
    whose = f"{everything}{'&' if '?' in everything else '?'}options=-crole%3D{name}"
    restoring = await asyncpg.connect(everything)
    sql = gzip.decompress(RECORDED.read_bytes()).decode().replace(ADDRESS, "127.0.0.1:9")
    await restoring.execute(sql.replace("OWNER TO mesh_owner", f'OWNER TO "{name}"'))
    # In PostgreSQL 15 a role without INHERIT has nothing of what a database's owner has by that.
    await restoring.execute(f'ALTER SCHEMA public OWNER TO "{name}"')
    await restoring.close()
    try:
        yield whose, everything
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        for revoking in await admin.fetch(GIVEN, name):
            await admin.execute(revoking["sql"])
        await admin.execute(f'DROP ROLE "{name}"')
        await admin.close()


async def test_the_platforms_minutes_are_filled_in_for_an_owner_that_no_policy_lets_see(
    owned: tuple[str, str], postgres: Server
) -> None:
    whose, everything = owned
    link = await asyncpg.connect(everything)
    # What was recorded is older than anybody looks back.
    await link.execute(
        "UPDATE ledger_minute SET minute = minute + (date_trunc('minute', now()) - of.last)"
        " - interval '1 day' FROM (SELECT max(minute) AS last FROM ledger_minute) AS of"
    )
    wanted = await link.fetchrow(f"SELECT {SUMS} FROM ledger_minute")
    assert wanted["sum"] > 0 if wanted else False
    assert await migrate(whose, postgres.user) == head_revision()
    told = await link.fetchrow(f"SELECT {SUMS} FROM platform_minute")
    assert told == wanted
    forced = await link.fetchval(
        "SELECT count(*) FROM pg_class WHERE relname IN"
        " ('ledger_minute', 'ledger_entry', 'ledger_inbox', 'maintenance', 'maintenance_act')"
        " AND relforcerowsecurity"
    )
    assert forced == 5
    await link.close()
