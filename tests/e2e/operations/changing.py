"""A playbook that changes within a month, and ways to pretend that it had changed before."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import structs
from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.tampering import Lines, Piece, changed, kind, without

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.objectives import Bundles, Objectives
from ai_agent_mesh.operations.planned import Draft
from ai_agent_mesh.operations.statements import PlaybookText, bundle, line, signed
from ai_agent_mesh.playbook import canonical, default, parse
from ai_agent_mesh.sla import Fault

#: Everything that a month is judged by, to our own good but for the latency.
NICER = parse(
    b"""
tiers:
  enterprise:
    uptime: 80%
    method: requests
    credits: [{below: 80%, at_least: 0%, credit: 1%}]
latency: {agent_crud: {p50: 10ms}}
measurement: {corrected_within: 1d}
maintenance: {notice: 24h}
keys: {rotation: 30d}
""",
    "nicer",
)
OCTOBER, NOVEMBER, DECEMBER, JANUARY = (
    Month(2026, 10), Month(2026, 11), Month(2026, 12), Month(2027, 1),
)  # fmt: skip
DAY = timedelta(days=1)
FEE = Money(Decimal(9_000))


def to(book: Book, moment: datetime) -> None:
    """Let it be a moment."""
    book.clock.move(moment - book.clock.now())


async def busy(book: Book, tenant: str, first: datetime) -> None:
    """A day with an outage of five minutes, and nine slow calls; the work in it was announced the
    day before."""
    for minute in range(5):
        await book.calls(tenant, first + timedelta(minutes=minute, seconds=1), fault=Fault.PLATFORM)
    await book.calls(tenant, first + timedelta(hours=1), times=9, latency_us=50_000)
    draft = Draft(title="Disks", since=first, until=first + timedelta(minutes=2))
    async with book.databases.app.tenant("platform") as tx:
        await MaintenanceCalendar(tx, book.playbook, FixedClock(first - DAY), "ops").announce(draft)
    await book.number(first - DAY)


async def changing(book: Book) -> str:
    """Make a tenant whose November and December go alike; the playbook changes on the 20th."""
    tenant = await book.tenant("oak", "professional", at(-1, day=1, hour=0))
    await book.move(tenant, "enterprise", at(0, day=1, hour=0), FEE)
    to(book, at(0, day=6))
    await book.calls(tenant, at(0))
    await book.number()
    book.under(NICER)
    to(book, at(0, day=20))
    await busy(book, tenant, at(0, day=15))
    await book.number()
    to(book, DECEMBER.since + 10 * DAY)
    await busy(book, tenant, DECEMBER.since + 5 * DAY)
    await book.number()
    return tenant


async def bundled(book: Book, month: Month, *, entries: int | None = None) -> Lines:
    """Return the bundle of a month."""
    bundles = Bundles(book.databases.operations, book.playbook, book.clock, book.signer)
    return [line async for line in bundles.lines("oak", month, entries=entries)]


async def forged(book: Book, month: Month, *, entries: int | None = None) -> Lines:
    """Return a month's bundle with a statement that a nicer playbook gives, signed as it should be;
    the thresholds are those of its time, so that all counts agree."""
    nicer = structs.replace(NICER, latency=default().latency)
    lines = await bundled(book, month, entries=entries)
    judge = Objectives(book.databases.operations, nicer, book.clock, supposed=True)
    told = signed(await judge.statement("oak", month), book.signer)
    text = bundle.canonical(told).decode()
    sign = base64.b64encode(book.signer.sign(bundle.signed_text(text.encode()))).decode()
    lines = changed(lines, kind("statement"), lambda one: one.update(text=text, signature=sign))
    place = next(at for at, raw in enumerate(lines) if json.loads(raw)["type"] == "playbook")
    lines[place] = line(PlaybookText(nicer.digest, canonical(nicer).decode()))
    return lines


def beheaded(lines: Lines, number: int) -> Lines:
    """Leave out the batch that names what judges the month, wherever it stands."""
    while any(is_batch(number)(json.loads(raw)) for raw in lines):
        lines = without(lines, is_batch(number))
    return lines


def is_batch(number: int) -> Callable[[Piece], bool]:
    """Choose the batch of a number."""
    return lambda piece: piece["type"] == "batch" and piece["batch"] == number
