"""Writes the ledger, or one tenant's part of it, as lines that can be verified without us."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import groupby

import msgspec

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import EntryUnreadable
from ai_agent_mesh.evidence.exchange import End, Header, Key, Line, Piece
from ai_agent_mesh.evidence.tree import inclusion_path, leaf_data, leaf_hash
from ai_agent_mesh.plumbing.postgres import Database
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
    span asks for is always inside. `operations` is a pool of the role mesh_operations.

    Raises:
        EntryUnreadable: an entry's bytes are not UTF-8 text; they were tampered with.
    """
    yield _line(Header(tenant, since, until))
    async with operations.transaction() as tx:
        keys = await Evidence(tx).keys()
    for key_id, public in keys.items():
        yield _line(Key(key_id, public))
    pieces = (
        _whole(operations, since, until)
        if tenant is None
        else _of_tenant(operations, tenant, since, until)
    )
    batches = entries = 0
    async for piece in pieces:
        entries += isinstance(piece, Line)
        batches += not isinstance(piece, Line)
        yield _line(piece)
    yield _line(End(batches, entries))


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
    hashes = [leaf_hash(leaf_data(*leaf)) for leaf in leaves]
    index = {leaf["seq"]: at for at, leaf in enumerate(leaves)}
    if not repeated:
        yield batch
    for row in rows:
        path = inclusion_path(index[row["seq"]], hashes)
        yield Line(row["seq"], row["number"], row["digest"], _text(row), path)


def _text(row: Row) -> str:
    try:
        return str(row["bytes"], "utf-8")
    except UnicodeDecodeError as error:
        raise EntryUnreadable(reason=f"seq {row['seq']} is not UTF-8") from error


def _line(piece: Piece) -> bytes:
    return _ENCODER.encode(piece) + b"\n"


_ENCODER = msgspec.json.Encoder(order="sorted")
