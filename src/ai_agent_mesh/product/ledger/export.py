"""Writes the ledger, or one tenant's part of it, as lines that can be verified without us."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import groupby

import msgspec

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import PLATFORM_TENANT, EntryUnreadable
from ai_agent_mesh.evidence.exchange import VERSION, Context, End, Header, Key, Line, Piece
from ai_agent_mesh.evidence.tree import Paths, leaf_data, leaf_hash
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger.context import acts, corrections, months, playbooks, turns
from ai_agent_mesh.product.ledger.evidence import Evidence, Row

_PAGE = 500


async def export(
    operations: Database,
    *,
    tenant: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AsyncIterator[bytes]:
    """Yield the lines of an export, each ended by a line feed; memory stays at a page.

    Of all tenants: the whole batches from the first to the last that hold an entry of the span.
    Of one tenant: its entries from the first to the last number in the span, each with its
    inclusion path, so that no other tenant's bytes are needed. Both are unbroken, so what the
    span asks for is always inside. After them comes what they are judged by: the playbook of each
    month, all that was said of planned work, and later corrections of the span's calls.
    `operations` is a pool of the role mesh_operations.

    Raises:
        EntryUnreadable: an entry's bytes are not UTF-8 text; they were tampered with.
    """
    yield _line(Header(tenant, since, until, VERSION))
    async with operations.transaction() as tx:
        keys = await Evidence(tx).keys()
    for key_id, public in keys.items():
        yield _line(Key(key_id, public))
    pieces = (
        _whole(operations, since, until)
        if tenant is None
        else _of_tenant(operations, tenant, since, until)
    )
    written = _Written()
    async for piece in pieces:
        yield written.line(piece)
    yield _line(Context())
    own = written.first, written.last
    async for piece in _context(operations, tenant, since, until, own):
        yield written.line(piece)
    yield _line(End(written.batches, written.entries))


class _Written:
    """How much was written so far, and between which sequence numbers."""

    def __init__(self) -> None:
        self.batches = self.entries = 0
        self.first = self.last = 0

    def line(self, piece: Piece) -> bytes:
        """Count a piece and return it as a line."""
        self.batches += isinstance(piece, Batch)
        if isinstance(piece, Line):
            self.entries += 1
            self.first, self.last = self.first or piece.seq, piece.seq
        return _line(piece)


async def _context(
    operations: Database,
    tenant: str | None,
    since: datetime | None,
    until: datetime | None,
    own: tuple[int, int],
) -> AsyncIterator[Piece]:
    async with operations.transaction() as tx:
        shown = await turns(tx, await months(tx, tenant, own))
        texts = [text async for text in playbooks(tx, shown)]
        said = await acts(tx, own if tenant in {None, PLATFORM_TENANT} else (0, 0))
        alone = [(PLATFORM_TENANT, act.number) for act in said]
        alone += await corrections(tx, tenant, since, until, own)
    for text in texts:
        yield text
    for batch in shown:
        yield batch
    for who, number in alone:
        async for proof in proven(operations, who, number, number):
            yield proof


async def _whole(
    operations: Database, since: datetime | None, until: datetime | None
) -> AsyncIterator[Piece]:
    async with operations.transaction() as tx:
        span = await Evidence(tx).batch_range(since, until)
    if span is None:
        return
    for number in range(span[0], span[1] + 1):
        async with operations.transaction() as tx:
            evidence = Evidence(tx)
            batch = await evidence.batch(number)
            rows = await evidence.entries(batch) if batch else []
        if batch:
            yield batch
        for row in rows:
            yield Line(row["seq"], row["number"], row["digest"], _text(row))


async def _of_tenant(
    operations: Database, tenant: str, since: datetime | None, until: datetime | None
) -> AsyncIterator[Piece]:
    async with operations.transaction() as tx:
        span = await Evidence(tx).number_range(tenant, since, until)
    async for piece in proven(operations, tenant, *(span or (1, 0))):
        yield piece


async def proven(
    operations: Database, tenant: str, first: int, last: int
) -> AsyncIterator[Batch | Line]:
    """Yield a tenant's entries between two numbers, both included, each with its inclusion path.

    Each batch comes before its entries; memory stays at a page.

    Raises:
        EntryUnreadable: an entry's bytes are not UTF-8 text.
    """
    current = 0
    while first <= last:
        async with operations.transaction() as tx:
            rows = await Evidence(tx).entries_of(tenant, first, last, _PAGE)
        if not rows:
            return
        for number, group in groupby(rows, key=lambda row: row["batch"]):
            async for piece in _proven(operations, number, list(group), repeated=number == current):
                yield piece
            current = number
        first = rows[-1]["number"] + 1


async def _proven(
    operations: Database, number: int, rows: list[Row], *, repeated: bool
) -> AsyncIterator[Batch | Line]:
    """Yield a batch (unless the page before has) and its entries with their inclusion paths."""
    async with operations.transaction() as tx:
        evidence = Evidence(tx)
        batch = await evidence.batch(number)
        leaves = await evidence.leaves(batch) if batch else []
    if batch is None:
        return
    paths = Paths([leaf_hash(leaf_data(*leaf)) for leaf in leaves])
    index = {leaf["seq"]: at for at, leaf in enumerate(leaves)}
    if not repeated:
        yield batch
    for row in rows:
        path = paths.to(index[row["seq"]])
        yield Line(row["seq"], row["number"], row["digest"], _text(row), path)


def _text(row: Row) -> str:
    try:
        return str(row["bytes"], "utf-8")
    except UnicodeDecodeError as error:
        raise EntryUnreadable(reason=f"seq {row['seq']} is not UTF-8") from error


def _line(piece: Piece) -> bytes:
    return _ENCODER.encode(piece) + b"\n"


_ENCODER = msgspec.json.Encoder(order="sorted")
