"""What the database itself says about the running system."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import asyncpg
import pytest
from msgspec import json
from tests.e2e.conftest import Stack

from ai_agent_mesh.plumbing.postgres.embedded import find_running
from ai_agent_mesh.product.ledger import Receipt


@pytest.fixture
async def inside(stack: Stack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect to the running system's database as its owner."""
    urls = find_running(stack.data / "postgres")
    assert urls is not None
    link = await asyncpg.connect(urls.migrate)
    yield link
    await link.close()


async def booked(link: "asyncpg.Connection[asyncpg.Record]", receipt: str) -> dict[str, object]:
    """Return the entry that a receipt names, once it is numbered; it is there exactly once."""
    promised = Receipt.parse(receipt)
    async with asyncio.timeout(5):
        while True:
            async with link.transaction():
                await link.execute("SET LOCAL ROLE mesh_operations")
                rows = await link.fetch(
                    "SELECT bytes FROM ledger_entry WHERE id = $1", promised.entry_id
                )
            if rows:
                break
            await asyncio.sleep(0.05)
    assert len(rows) == 1
    assert sha256(rows[0]["bytes"]).digest() == promised.digest
    return dict(json.decode(rows[0]["bytes"]))
