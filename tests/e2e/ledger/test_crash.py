"""The database itself is killed in the middle: no receipt that was given is untrue afterwards."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from tests.e2e.ledger.conftest import Recorded

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database, Role, migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer, discard
from ai_agent_mesh.product.ledger import (
    Inbox,
    LedgerUnavailable,
    Receipt,
    Sequencer,
    Spool,
    verify,
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach, unlike pytest's private ones."""
    parent = Path(mkdtemp(prefix="mesh-crash-"))
    parent.chmod(0o711)
    yield parent / "postgres"
    discard(parent / "postgres")
    shutil.rmtree(parent)


async def test_every_receipt_holds_after_the_database_was_killed(
    folder: Path, call: Recorded, signer: Signer, tmp_path: Path
) -> None:
    spool, given, spooled = Spool(tmp_path / "spool"), set[Receipt](), set[Receipt]()
    server = EmbeddedServer(folder, durable=True)
    urls = await server.start()
    try:
        await migrate(urls.migrate, "mesh_login")
        ledger = await Database.open(urls.login, Role.LEDGER)
        sequencer = Sequencer(ledger, signer, default(), SystemClock(), batch=20)
        inbox, stop = Inbox(ledger), asyncio.Event()
        inbox.start()

        async def caller() -> None:
            """Call on; while the database is away, keep what was refused on disk."""
            while len(spooled) < 50:
                entry = call()
                try:
                    given.add(await inbox.append(entry))
                except LedgerUnavailable:
                    spooled.add(await spool.keep(entry))

        numbering = asyncio.create_task(sequencer.run(stop))
        calling = [asyncio.create_task(caller()) for _ in range(10)]
        async with asyncio.timeout(60):
            while len(given) < 300:
                await asyncio.sleep(0.01)
            assert server.pid
            os.kill(server.pid, signal.SIGKILL)
            await server.wait()
            await asyncio.gather(*calling)
            await server.restart()
            await inbox.append(call())  # the pools find their way back by themselves
            assert await spool.drain(ledger) == len(spooled)
            while await _left(ledger):
                await asyncio.sleep(0.05)
        stop.set()
        await numbering
        await inbox.stop()
        async with ledger.transaction() as tx:
            rows = await tx.fetch("SELECT id, digest FROM ledger_entry")
        kept = {Receipt(row["id"], row["digest"]) for row in rows}
        assert not given - kept
        assert not spooled - kept
        await ledger.close()
        operations = await Database.open(urls.login, Role.OPERATIONS)
        report = await verify(operations, pinned=[signer.public_bytes])
        await operations.close()
        assert report.sound, report.failures
    finally:
        await server.stop()


async def _left(ledger: Database) -> bool:
    async with ledger.transaction() as tx:
        return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM ledger_inbox)"))
