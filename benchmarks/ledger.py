"""How fast entries become evidence, beside a raw insert of the same rows in the same run."""

import asyncio
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time

import asyncpg

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database, Role, migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind, Sequencer, verify
from ai_agent_mesh.sla import Category, Service
from benchmarks.figures import Figure, percentile

COUNT = 20_000
CALLERS = 100
TENANTS = 20
LONE = 200

_RAW_TABLE = """
CREATE TABLE raw_entry (seq bigint PRIMARY KEY, tenant_id text, number bigint, id text,
                        at timestamptz, kind text, digest bytea, bytes bytea, batch bigint)
"""
_RAW = """
INSERT INTO raw_entry SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[],
  $5::timestamptz[], $6::text[], $7::bytea[], $8::bytea[], $9::bigint[])
"""
_LAG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 FROM ledger_inbox
"""


async def run(login_url: str, migrate_url: str) -> list[Figure]:
    """Measure on the migrated, empty database behind these addresses."""
    ledger = await Database.open(login_url, Role.LEDGER)
    operations = await Database.open(login_url, Role.OPERATIONS)
    try:
        with tempfile.TemporaryDirectory() as name:
            signer = Signer.load_or_create(Path(name) / "ledger.key")
        figures = [await _lone(ledger)]
        for batch in (100, 1_000):
            figures += await _stages(ledger, migrate_url, signer, batch)
        return [*figures, await _together(ledger, signer), await _verified(operations)]
    finally:
        await ledger.close()
        await operations.close()


async def _lone(ledger: Database) -> Figure:
    inbox = Inbox(ledger)
    inbox.start()
    times = []
    for number in range(LONE):
        began = perf_counter()
        await inbox.append(_entry(number))
        times.append((perf_counter() - began) * 1_000)
    await inbox.stop()
    measured = f"p50 {percentile(times, 0.5):.1f} ms, p99 {percentile(times, 0.99):.1f} ms"
    return Figure("ledger: a lone entry is durable", measured)


async def _stages(ledger: Database, migrate_url: str, signer: Signer, batch: int) -> list[Figure]:
    raw = await _raw(migrate_url, batch)
    appended = await _append(ledger)
    numbered, a_core = await _number(ledger, signer, batch)
    yardstick = f"raw insert, {batch} rows a transaction: {raw:,.0f}/s"
    return [
        Figure(
            f"ledger: appended by {CALLERS} callers",
            f"{appended:,.0f} entries/s", "", yardstick, f"{appended / raw:.2f}",
        ),
        Figure(
            f"ledger: numbered and signed, batch of {batch}",
            f"{numbered:,.0f} entries/s ({a_core:,.0f} a core of the sequencer)",
            ">= 5,000 entries/s a core", yardstick, f"{numbered / raw:.2f}",
        ),
    ]  # fmt: skip


async def _append(ledger: Database) -> float:
    inbox = Inbox(ledger)
    inbox.start()

    async def caller(share: int) -> None:
        for number in range(share):
            await inbox.append(_entry(number))

    began = perf_counter()
    await asyncio.gather(*(caller(COUNT // CALLERS) for _ in range(CALLERS)))
    rate = COUNT / (perf_counter() - began)
    await inbox.stop()
    return rate


async def _number(ledger: Database, signer: Signer, batch: int) -> tuple[float, float]:
    sequencer = Sequencer(ledger, signer, default(), SystemClock(), batch=batch)
    while (epoch := await sequencer.take_over()) is None:  # noqa: ASYNC110 - a lease runs out
        await asyncio.sleep(0.1)
    began, cpu = perf_counter(), process_time()
    count = 0
    while moved := await sequencer.number(epoch):
        count += moved
    return count / (perf_counter() - began), count / (process_time() - cpu)


async def _together(ledger: Database, signer: Signer) -> Figure:
    """Append and number at the same time, and watch how old the oldest waiting entry gets."""
    stop = asyncio.Event()
    numbering = asyncio.create_task(Sequencer(ledger, signer, default(), SystemClock()).run(stop))
    await asyncio.sleep(5)  # until the lease of the round before runs out and this one begins
    appending = asyncio.create_task(_append(ledger))
    oldest_s = 0.0
    while not appending.done():
        async with ledger.transaction() as tx:
            oldest_s = max(oldest_s, await tx.fetchval(_LAG))
        await asyncio.sleep(0.02)
    stop.set()
    await numbering
    what = f"ledger: oldest unnumbered entry at {await appending:,.0f} entries/s"
    return Figure(what, f"{oldest_s:.2f} s", "< 1 s")


async def _verified(operations: Database) -> Figure:
    began = perf_counter()
    report = await verify(operations)
    rate = report.entries / (perf_counter() - began)
    assert report.sound, report.failures  # noqa: S101 - figures of a broken ledger are none
    return Figure("ledger: verified, roll-ups recounted", f"{rate:,.0f} entries/s")


async def _raw(migrate_url: str, batch: int) -> float:
    link = await asyncpg.connect(migrate_url)
    rows = [_row(seq) for seq in range(COUNT)]
    await link.execute("DROP TABLE IF EXISTS raw_entry")
    await link.execute(_RAW_TABLE)
    began = perf_counter()
    for first in range(0, COUNT, batch):
        await link.execute(_RAW, *zip(*rows[first : first + batch], strict=True))
    rate = COUNT / (perf_counter() - began)
    await link.close()
    return rate


def _row(seq: int) -> tuple[object, ...]:
    entry = _entry(seq)
    raw = entry.canonical
    return seq, entry.tenant, seq, entry.id, entry.at, "call", sha256(raw).digest(), raw, 1


def _entry(number: int) -> Entry:
    return Entry(
        id=new_id("ent"),
        kind=Kind.CALL,
        tenant=f"tnt_{number % TENANTS}",
        at=SystemClock().now(),
        service=Service.API,
        category=Category.AGENT_CRUD,
        route="GET /v1/agents/{agent_id}",
        method="GET",
        path="/v1/agents/agt_01k0000000000000000000000a",
        status=200,
        duration_us=1_000 + number % 700,
        latency_us=1_000 + number % 700,
        actor="key_01k0000000000000000000000a",
        role="developer",
        request_id="req_01k0000000000000000000000a",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        client="127.0.0.1",
        playbook=default().digest,
    )


async def main() -> None:
    """Measure on a fresh, durable embedded server and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o711)  # noqa: PTH101, S103 - the server's own account must get through
        async with EmbeddedServer(Path(name) / "postgres") as urls:
            await migrate(urls.migrate, "mesh_login")
            for figure in await run(urls.login, urls.migrate):
                print(figure)


if __name__ == "__main__":
    asyncio.run(main())
