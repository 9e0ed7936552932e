"""How fast entries become evidence, beside a raw insert of the same rows in the same run."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
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

COUNT = 20_000
CALLERS = 100
TENANTS = 20

_RAW_TABLE = """
CREATE TABLE raw_entry (seq bigint PRIMARY KEY, tenant_id text, number bigint, id text,
                        at timestamptz, kind text, digest bytea, bytes bytea, batch bigint)
"""
_RAW = """
INSERT INTO raw_entry SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[],
  $5::timestamptz[], $6::text[], $7::bytea[], $8::bytea[], $9::bigint[])
"""


@dataclass(frozen=True)
class Row:
    """One figure beside its yardstick; `ratio` is figure / yardstick."""

    name: str
    figure: float
    unit: str
    yardstick: str
    ratio: float | None = None


async def run(login_url: str, migrate_url: str, folder: Path) -> list[Row]:
    """Measure on the migrated, empty database behind these addresses; keys go into `folder`."""
    ledger = await Database.open(login_url, Role.LEDGER)
    operations = await Database.open(login_url, Role.OPERATIONS)
    signer = Signer.load_or_create(folder / "ledger.key")
    try:
        rows = []
        for batch in (100, 1_000):
            raw = await _raw(migrate_url, batch)
            appended = await _append(ledger)
            numbered, cpu = await _number(ledger, signer, batch)
            rows += _beside(batch, raw, appended, numbered, cpu)
        began = perf_counter()
        report = await verify(operations)
        checked = report.entries / (perf_counter() - began)
        assert report.sound, report.failures  # noqa: S101 - figures of a broken ledger are none
        rows.append(Row("ledger: verified with recount", checked, "entries/s", "no other"))
    finally:
        await ledger.close()
        await operations.close()
    return rows


def _beside(batch: int, raw: float, appended: float, numbered: float, cpu: float) -> list[Row]:
    yardstick = f"raw insert of the same rows, batches of {batch}: {raw:,.0f}/s"
    unit = "entries/s"
    return [
        Row(f"ledger: appended by {CALLERS} callers", appended, unit, yardstick, appended / raw),
        Row(f"ledger: sequenced, batch of {batch}", numbered, unit, yardstick, numbered / raw),
        Row(f"ledger: sequenced a core of ours, batch of {batch}", cpu, unit, "target 5,000/s"),
    ]


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
    """Measure on a fresh, durable embedded server and print the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chmod(folder, 0o711)  # noqa: PTH101, S103 - the server's account must get through
        server = EmbeddedServer(folder / "postgres")
        urls = await server.start()
        try:
            await migrate(urls.migrate, "mesh_login")
            for row in await run(urls.login, urls.migrate, folder):
                ratio = "" if row.ratio is None else f"  ratio {row.ratio:.2f}"
                print(f"{row.name:45} {row.figure:10,.0f} {row.unit}  ({row.yardstick}){ratio}")
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
