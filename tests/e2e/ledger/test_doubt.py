"""A commit whose confirmation is lost: the caller hears what became of it, booked once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.conftest import Databases
from tests.e2e.ledger.conftest import Recorded
from tests.e2e.wire import Wire, wire

from ai_agent_mesh.api.app import build
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.identity import open_account
from ai_agent_mesh.product.ledger import Entry, Inbox, Receipt, Sequencer
from ai_agent_mesh.settings import Settings
from ai_agent_mesh.wiring import Mesh

AGENT = {"name": "doubted", "kind": "http", "url": "http://127.0.0.1:9/"}
KEY = {"Idempotency-Key": "doubted"}
CHANGE = b"INSERT INTO agent ("
APPENDED = b"INSERT 0 1\0"


@pytest.fixture
def laid(databases: Databases) -> Iterator[Wire]:
    """Lay a wire to the database."""
    with wire(databases.url) as laid:
        yield laid


@asynccontextmanager
async def door(url: str, data: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Open the door on a database, and be a new tenant's owner before it."""
    async with Mesh.open(Settings(data=data, database_url=url)) as mesh:
        async with mesh.app.transaction() as tx:
            made = await open_account(
                mesh, tx, "doubt", "enterprise", email="owner@localhost", person="The owner"
            )
        headers = {"Authorization": f"Bearer {made.issued.text}"}
        asgi = httpx.ASGITransport(build(mesh))
        async with httpx.AsyncClient(transport=asgi, base_url="http://m", headers=headers) as one:
            yield one


async def booked(databases: Databases) -> list[tuple[str, int | None]]:
    """Return route and status of every call that is booked, in order."""
    async with databases.ledger.transaction() as tx:
        rows = await tx.fetch("SELECT id, digest, bytes FROM ledger_inbox ORDER BY id, at")
    entries = [Entry.decode(row["bytes"]) for row in rows]
    return [(str(entry.route), entry.status) for entry in entries if entry.kind == "call"]


async def test_a_change_that_stands_is_answered_as_done_though_its_confirmation_was_lost(
    databases: Databases, laid: Wire, tmp_path: Path
) -> None:
    async with door(laid.url, tmp_path) as client:
        cut = laid.cut(CHANGE)
        made = await client.post("/v1/agents", json=AGENT, headers=KEY)
        assert cut.done.is_set()
        assert made.status_code == 201
        again = await client.post("/v1/agents", json=AGENT, headers=KEY)
    assert again.content == made.content
    assert await booked(databases) == [("POST /v1/agents", 201), ("POST /v1/agents", 201)]
    async with databases.ledger.transaction() as tx:
        rows = await tx.fetch("SELECT id, digest FROM ledger_inbox")
    kept = {Receipt(row["id"], row["digest"]) for row in rows}
    assert Receipt.parse(made.headers["mesh-receipt"]) in kept


async def test_a_change_that_never_arrived_is_refused_and_can_be_repeated(
    databases: Databases, laid: Wire, tmp_path: Path
) -> None:
    async with door(laid.url, tmp_path) as client:
        cut = laid.cut(CHANGE, told=False)
        lost = await client.post("/v1/agents", json=AGENT, headers=KEY)
        assert cut.done.is_set()
        assert (lost.status_code, lost.json()["type"]) == (503, "/problems/outcome-unknown")
        assert "mesh-receipt" in lost.headers
        made = await client.post("/v1/agents", json=AGENT, headers=KEY)
    assert made.status_code == 201
    assert "idempotency-replayed" not in made.headers
    assert await booked(databases) == [("POST /v1/agents", 503), ("POST /v1/agents", 201)]


async def test_entries_whose_confirmation_was_lost_are_kept_once(
    databases: Databases, laid: Wire, call: Recorded
) -> None:
    ledger = await Database.open(laid.url, Role.LEDGER)
    inbox = Inbox(ledger)
    inbox.start()
    cut = laid.cut(b"INSERT INTO ledger_inbox", at=APPENDED)
    receipt = await inbox.append(call())
    assert cut.done.is_set()
    await inbox.stop()
    await ledger.close()
    async with databases.ledger.transaction() as tx:
        rows = await tx.fetch("SELECT id, digest FROM ledger_inbox")
    assert [Receipt(row["id"], row["digest"]) for row in rows] == [receipt]


async def test_what_became_of_an_entry_is_learned_wherever_it_is_by_now(
    databases: Databases, inbox: Inbox, call: Recorded, sequencer: Callable[[], Sequencer]
) -> None:
    never, waiting, numbered = call(), call(), call()
    await inbox.append(numbered)
    holder = sequencer()
    epoch = await holder.take_over()
    assert epoch is not None
    assert await holder.number(epoch) == 1
    await inbox.append(waiting)
    assert [await inbox.learn(one) for one in (never, waiting, numbered)] == [False, True, True]
    async with databases.ledger.transaction() as tx:
        rows = await tx.fetch("SELECT id FROM ledger_inbox")
    assert [row["id"] for row in rows] == [waiting.id]


async def test_a_commit_that_is_still_under_way_is_waited_for(
    databases: Databases, inbox: Inbox, call: Recorded
) -> None:
    entry = call()
    tx = await databases.app.begin(entry.tenant)
    await Inbox.insert(tx, entry)
    learning = asyncio.create_task(inbox.learn(entry))
    async with asyncio.timeout(10):
        while not await _waits(databases):
            await asyncio.sleep(0.02)
    assert not learning.done()
    await databases.app.commit(tx)
    assert await learning


async def _waits(databases: Databases) -> bool:
    async with databases.operations.transaction() as tx:
        return bool(
            await tx.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
                " OR NOT granted AND locktype = 'transactionid')"
            )
        )
