"""One moment of the database, for readings that must fit together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ai_agent_mesh.plumbing.postgres.database import Database
from ai_agent_mesh.plumbing.postgres.tx import Tx


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Tx]:
    """Open a transaction whose queries all see the same moment, and which can change nothing."""
    async with database.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield tx
