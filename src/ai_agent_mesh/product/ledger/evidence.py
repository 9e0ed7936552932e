"""The ledger's SQL on the reader's side, across tenants: whole batches, in pages."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.rollup import Thresholds
from ai_agent_mesh.evidence.tree import leaf_data, leaf_hash
from ai_agent_mesh.plumbing.postgres import Tx

_BATCH = """
SELECT batch, first_seq, last_seq, root, previous, playbook, at, key_id, signature
FROM ledger_batch
"""
_ENTRIES = """
SELECT seq, tenant_id, number, id, at, kind, digest, bytes, batch
FROM ledger_entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq
"""
_OF_TENANT = """
SELECT seq, number, digest, bytes, batch
FROM ledger_entry WHERE tenant_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4
"""
_LEAVES = """
SELECT seq, number, digest FROM ledger_entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq
"""
_LEAVES_OF = """
SELECT seq, number, digest FROM ledger_entry
WHERE tenant_id = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4
"""
_ALL_BATCHES = "SELECT min(batch), max(batch) FROM ledger_batch"
_BATCH_RANGE = """
SELECT min(batch), max(batch) FROM ledger_entry
WHERE ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2)
"""
_NUMBER_RANGE = """
SELECT min(number), max(number) FROM ledger_entry
WHERE tenant_id = $1
  AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)
"""
_CALLS = """
SELECT seq, tenant_id, bytes FROM ledger_entry
WHERE seq BETWEEN $1 AND $2 AND at >= $3 AND at < $4 AND kind <> 'amendment'
ORDER BY seq LIMIT $5
"""
_AMENDMENTS = """
SELECT seq, tenant_id, bytes FROM ledger_entry WHERE kind = 'amendment' AND seq > $1 ORDER BY seq
"""
_ORIGINALS = "SELECT id, digest, bytes FROM ledger_entry WHERE id = ANY($1)"
_MINUTES = """
SELECT tenant_id, minute, service, category,
       calls, valid, bad, timed, within_p50, within_p95, within_p99
FROM ledger_minute WHERE minute >= $1 AND minute < $2
"""
_BUCKETS = """
SELECT tenant_id, minute, service, category, bucket, count
FROM ledger_sketch WHERE minute >= $1 AND minute < $2
"""
_HOURS = """
SELECT DISTINCT date_trunc('hour', minute) FROM ledger_minute
UNION SELECT DISTINCT date_trunc('hour', minute) FROM ledger_sketch
"""

_PAGE = 5_000

Row = Any  # an asyncpg record: its columns are those of the query above


class Head(msgspec.Struct, frozen=True):
    """Where the ledger says that it ends."""

    seq: int
    batch: int
    previous: bytes
    numbers: dict[str, int]


class Evidence:
    """Reads entries, batches and roll-ups of all tenants, under the role mesh_operations."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def head(self) -> Head:
        """Return the last numbers that were given."""
        row = await self._tx.fetchrow("SELECT seq, batch, previous FROM ledger_head")
        heads = await self._tx.fetch("SELECT tenant_id, number FROM ledger_tenant_head")
        if row is None:
            return Head(0, 0, b"", {})
        return Head(row["seq"], row["batch"], row["previous"], dict(map(tuple, heads)))

    async def keys(self) -> dict[str, bytes]:
        """Return the public keys that batches name, by key id."""
        rows = await self._tx.fetch("SELECT key_id, public FROM ledger_key ORDER BY since, key_id")
        return {row["key_id"]: row["public"] for row in rows}

    async def playbooks(self) -> dict[str, Thresholds]:
        """Return the thresholds of the playbooks that batches name, by digest."""
        rows = await self._tx.fetch("SELECT digest, latency FROM ledger_playbook")
        return {
            row["digest"]: msgspec.convert(row["latency"], dict[str, tuple[int, int, int]])
            for row in rows
        }

    async def batches(self, first: int, last: int, limit: int) -> list[Batch]:
        """Return at most `limit` batches from `first` to `last`, both included."""
        rows = await self._tx.fetch(
            f"{_BATCH} WHERE batch BETWEEN $1 AND $2 ORDER BY batch LIMIT $3", first, last, limit
        )
        return [Batch(**row) for row in rows]

    async def batch(self, number: int) -> Batch | None:
        """Return one batch, or None."""
        return next(iter(await self.batches(number, number, 1)), None)

    async def entries(self, batch: Batch) -> list[Row]:
        """Return a batch's rows by the sequence numbers it names."""
        return await self._tx.fetch(_ENTRIES, batch.first_seq, batch.last_seq)

    async def leaves(self, batch: Batch) -> list[Row]:
        """Return what a batch's leaves commit to: seq, number, digest."""
        return await self._tx.fetch(_LEAVES, batch.first_seq, batch.last_seq)

    async def entries_of(self, tenant: str, first: int, last: int, limit: int) -> list[Row]:
        """Return at most `limit` of a tenant's rows by number."""
        return await self._tx.fetch(_OF_TENANT, tenant, first, last, limit)

    async def leaf_hashes(self, tenant: str, first: int, last: int) -> list[bytes]:
        """Return the leaf hashes of a page of a tenant's entries between two numbers, in order."""
        rows = await self._tx.fetch(_LEAVES_OF, tenant, first, last, _PAGE)
        return [leaf_hash(leaf_data(*row)) for row in rows]

    async def batch_range(
        self, since: datetime | None, until: datetime | None
    ) -> tuple[int, int] | None:
        """Return the first and last batch with an entry of the span, or None."""
        if since is None and until is None:
            return _range(await self._tx.fetchrow(_ALL_BATCHES))
        return _range(await self._tx.fetchrow(_BATCH_RANGE, since, until))

    async def number_range(
        self, tenant: str, since: datetime | None, until: datetime | None
    ) -> tuple[int, int] | None:
        """Return the tenant's first and last number in the span, or None."""
        return _range(await self._tx.fetchrow(_NUMBER_RANGE, tenant, since, until))

    async def amendments(self, after: int) -> list[Row]:
        """Return seq, tenant and bytes of the amendments numbered after a sequence number."""
        return await self._tx.fetch(_AMENDMENTS, after)

    async def originals(self, ids: Sequence[str]) -> dict[tuple[str, str], bytes]:
        """Return the bytes of entries by their id and digest (hexadecimal)."""
        rows = await self._tx.fetch(_ORIGINALS, list(set(ids)))
        return {(r["id"], r["digest"].hex()): r["bytes"] for r in rows}

    async def hours(self) -> set[datetime]:
        """Return the hours that the roll-ups know."""
        return {row[0] for row in await self._tx.fetch(_HOURS)}

    async def calls(
        self, first: int, last: int, since: datetime, until: datetime
    ) -> AsyncIterator[Row]:
        """Yield tenant and bytes of the entries of a span between two numbers."""
        while first <= last:
            rows = await self._tx.fetch(_CALLS, first, last, since, until, _PAGE)
            for _, *row in rows:
                yield row
            if len(rows) < _PAGE:
                return
            first = rows[-1]["seq"] + 1

    async def minutes(self, since: datetime, until: datetime) -> dict[tuple[object, ...], Row]:
        """Return the kept figures of a span by tenant, minute, service and category."""
        rows = await self._tx.fetch(_MINUTES, since, until)
        return {tuple(row)[:4]: tuple(row)[4:] for row in rows}

    async def buckets(self, since: datetime, until: datetime) -> dict[tuple[object, ...], int]:
        """Return the kept sketch counts of a span by the same key and the bucket."""
        rows = await self._tx.fetch(_BUCKETS, since, until)
        return {tuple(row)[:5]: row["count"] for row in rows}


def _range(row: Row) -> tuple[int, int] | None:
    return None if row is None or row[0] is None else (row[0], row[1])
