"""What is looked at in the database: version, rights, row-level security, schema, clock, safety."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from ai_agent_mesh.cli.doctor.finding import Finding, State, judged, passed
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.postgres import Role, current_revision, head_revision

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

_OLDEST = 15

_POWERS = """
    SELECT array_remove(ARRAY[
      CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolbypassrls THEN 'bypassrls' END], NULL)
    FROM pg_roles WHERE rolname = $1
"""

_OPEN_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped
      AND c.relnamespace = 'public'::regnamespace
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
      AND has_table_privilege(to_regrole('mesh_app'), c.oid, 'SELECT')
    ORDER BY 1
"""


async def database(login: str, owner: str, allowed: timedelta) -> AsyncIterator[Finding]:
    """Look at the database as the running system sees it; `allowed` is how far clocks may part."""
    try:
        connection = await asyncpg.connect(login, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        mend = "Start it, or mend DATABASE_URL."
        yield Finding("database", State.FAIL, f"no connection: {_line(error)}", mend)
        return
    try:
        yield await _version(connection)
        yield await _login(connection, urlsplit(login).username or "")
        yield await _roles(connection)
        yield await _tenancy(connection)
        yield await _clock(connection, allowed)
        yield await _safety(connection)
    finally:
        await connection.close()
    yield await _schema(owner)


async def _version(connection: "Connection") -> Finding:
    version = await connection.fetchval("SHOW server_version")
    major = int(await connection.fetchval("SHOW server_version_num")) // 10_000
    return judged(
        "database",
        f"PostgreSQL {version} answers",
        good=major >= _OLDEST,
        mend=f"Upgrade to PostgreSQL {_OLDEST} or newer.",
    )


async def _login(connection: "Connection", user: str) -> Finding:
    powers = await connection.fetchval(_POWERS, user)
    return judged(
        "login role",
        f"{user} is {' and '.join(powers)}" if powers else f"{user} has no power of its own",
        good=not powers,
        mend="Name a role that is neither superuser nor bypassrls in DATABASE_URL, "
        "and the owner in MESH_MIGRATE_URL.",
        worst=State.WARN,
    )


async def _roles(connection: "Connection") -> Finding:
    wanted = [role.value for role in Role]
    rows = await connection.fetch(
        "SELECT rolname, rolsuper OR rolbypassrls AS strong, "
        "pg_has_role(current_user, oid, 'SET') AS ours FROM pg_roles WHERE rolname = ANY ($1)",
        wanted,
    )
    good = {row["rolname"] for row in rows if row["ours"] and not row["strong"]}
    wrong = [role for role in wanted if role not in good]
    found = f"unusable: {', '.join(wrong)}" if wrong else f"{len(wanted)} in order"
    return judged("roles", found, good=not wrong, mend="Run `mesh migrate`.")


async def _tenancy(connection: "Connection") -> Finding:
    tables = [row["relname"] for row in await connection.fetch(_OPEN_TABLES)]
    found = f"not forced on {', '.join(tables)}" if tables else "forced on every tenant table"
    mend = "Run `mesh migrate`; until then do not let tenants in."
    return judged("row-level security", found, good=not tables, mend=mend)


async def _clock(connection: "Connection", allowed: timedelta) -> Finding:
    before = datetime.now(UTC)
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    apart = max(before - theirs, theirs - after, timedelta())
    return judged(
        "clock",
        f"{apart.total_seconds():.3f} s between this host and the database",
        good=apart <= allowed,
        mend="Let both hosts follow a time server.",
    )


async def _safety(connection: "Connection") -> Finding:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    off = [name for name in names if await connection.fetchval(f"SHOW {name}") == "off"]
    found = f"{', '.join(off)} off" if off else "what is committed is on disk"
    return judged("durability", found, good=not off, mend="ALTER SYSTEM SET … = on, and reload.")


async def _schema(owner: str) -> Finding:
    try:
        now, wanted = await current_revision(owner), head_revision()
    except Fact as fact:
        return Finding("schema", State.FAIL, fact.detail, "See MESH_MIGRATE_URL.")
    if now == wanted:
        return passed("schema", f"at revision {now}")
    found = f"at revision {now}, this version needs {wanted}"
    return Finding("schema", State.FAIL, found, "Run `mesh migrate`.")


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
