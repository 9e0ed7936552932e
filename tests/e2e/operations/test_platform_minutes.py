"""The platform's minutes reach back beyond their own beginning, and no further than is asked."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules

import asyncpg
from tests.e2e.operations.conftest import Book

from ai_agent_mesh.kernel.spans import minute_of
from ai_agent_mesh.operations.objectives import forget_minutes
from ai_agent_mesh.sla import Fault

VERSIONS = "ai_agent_mesh.migrations.versions"
DAY = timedelta(days=1)
_ALL = "SELECT minute, sum(calls)::int, sum(bad)::int FROM platform_minute GROUP BY 1 ORDER BY 1"


def backfill() -> str:
    """Return what the migration that fills them in does."""
    names = [one.name for one in iter_modules(import_module(VERSIONS).__path__)]
    (found,) = (name for name in names if name.endswith("_platform_minutes"))
    return str(import_module(f"{VERSIONS}.{found}").SQL)


async def test_what_was_numbered_before_there_were_any_is_filled_in_and_the_old_is_dropped(
    book: Book,
) -> None:
    recent = minute_of(datetime.now(UTC)) - DAY
    for tenant in ("ten_a", "ten_b"):
        await book.calls(tenant, recent, times=3, fault=Fault.PLATFORM)
        await book.calls(tenant, recent - 40 * DAY, times=9)
    await book.number()
    owner = await asyncpg.connect(book.databases.migrate_url)
    before = [tuple(row) for row in await owner.fetch(_ALL)]
    assert before == [(recent - 40 * DAY, 18, 0), (recent, 6, 6)]
    await owner.execute("DELETE FROM platform_minute")
    for _ in range(2):  # whatever stands there already is not counted twice
        await owner.execute(backfill())
        assert [tuple(row) for row in await owner.fetch(_ALL)] == before[1:]
    await book.calls("ten_a", recent - 40 * DAY, times=2)  # late, in a minute that was dropped
    await book.calls("ten_a", recent - 41 * DAY, times=2)
    await book.number()
    await forget_minutes(book.databases.ledger, recent - DAY)
    assert [tuple(row) for row in await owner.fetch(_ALL)] == before[1:]
    kept = "SELECT sum(calls)::int FROM ledger_minute"
    assert await owner.fetchval(kept) == 28
    await owner.close()
