"""How one transaction works for another tenant for a while, and then for its own again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres import Tx

_SET = "SELECT set_config('mesh.tenant_id', $1, true)"


@asynccontextmanager
async def scoped(tx: Tx, tenant_id: str) -> AsyncIterator[Tx]:
    """Give the transaction another tenant's sight, and its own back at the end.

    What is written inside commits or rolls back with everything else in the transaction.
    """
    before = await tx.fetchval("SELECT coalesce(mesh_tenant(), '')")
    await tx.execute(_SET, tenant_id)
    try:
        yield Tx(tx._connection, tenant_id)  # noqa: SLF001 - the same transaction in another scope
    finally:
        # Refused where PostgreSQL has given the transaction up: then it can only be rolled back.
        with suppress(asyncpg.PostgresError, Unavailable):
            await tx.execute(_SET, before)
