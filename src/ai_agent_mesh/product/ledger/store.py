"""The ledger's SQL on the sequencer's side: the fence, the inbox, the numbers, the roll-ups."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.rollup import Tally, Thresholds, thresholds
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import Playbook, canonical
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger.governing import governing

_TAKE_OVER = """
UPDATE ledger_head
SET epoch = epoch + 1, holder = $1, leased_until = clock_timestamp() + $2
WHERE leased_until < clock_timestamp()
RETURNING epoch
"""
_RENEW = """
UPDATE ledger_head SET leased_until = clock_timestamp() + $2 WHERE epoch = $1 RETURNING true
"""
_RELEASE = "UPDATE ledger_head SET leased_until = '-infinity' WHERE epoch = $1"
_LOCK = """
SELECT seq, batch, previous,
       (SELECT at FROM ledger_batch WHERE ledger_batch.batch = ledger_head.batch) AS at
FROM ledger_head WHERE epoch = $1 FOR UPDATE
"""
_ADVANCE = """
UPDATE ledger_head
SET seq = $2, batch = $3, previous = $4, leased_until = clock_timestamp() + $5
WHERE epoch = $1
"""
# Nobody else deletes here: the head's lock is held, so the rows need none.
_TAKE = """
DELETE FROM ledger_inbox
WHERE ctid = ANY (ARRAY(SELECT ctid FROM ledger_inbox ORDER BY id LIMIT $1))
RETURNING id, tenant_id, at, bytes, digest
"""
_KNOWN = "SELECT id, digest FROM ledger_entry WHERE id = ANY ($1::text[])"
_NUMBERS = "SELECT tenant_id, number FROM ledger_tenant_head WHERE tenant_id = ANY ($1::text[])"
_ENTRIES = """
INSERT INTO ledger_entry (seq, tenant_id, number, id, at, kind, digest, bytes, batch)
SELECT t.*, $9 FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[],
                           $6::text[], $7::bytea[], $8::bytea[]) t
"""
_TENANTS = """
INSERT INTO ledger_tenant_head (tenant_id, number)
SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (tenant_id) DO UPDATE SET number = excluded.number
"""
_BATCH = """
INSERT INTO ledger_batch
  (batch, first_seq, last_seq, root, previous, playbook, at, key_id, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
# Both in one statement: what it costs to ask is most of what a small batch costs.
_ADD_UP = """
WITH minutes AS (
  INSERT INTO ledger_minute AS kept (tenant_id, minute, service, category, calls, valid, bad, timed,
                                     within_p50, within_p95, within_p99)
  SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
  ON CONFLICT (tenant_id, minute, service, category) DO UPDATE SET
    calls = kept.calls + excluded.calls, valid = kept.valid + excluded.valid,
    bad = kept.bad + excluded.bad, timed = kept.timed + excluded.timed,
    within_p50 = kept.within_p50 + excluded.within_p50,
    within_p95 = kept.within_p95 + excluded.within_p95,
    within_p99 = kept.within_p99 + excluded.within_p99
)
INSERT INTO ledger_sketch AS kept (tenant_id, minute, service, category, bucket, count)
SELECT * FROM unnest($12::text[], $13::timestamptz[], $14::text[], $15::text[], $16::int[],
                     $17::bigint[])
ON CONFLICT (tenant_id, minute, service, category, bucket) DO UPDATE SET
  count = kept.count + excluded.count
"""
_UNNUMBERED = """
SELECT count(*), coalesce(clock_timestamp() - min(at), interval '0') FROM ledger_inbox
"""
_KEY = "INSERT INTO ledger_key VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_TEXT = "INSERT INTO ledger_playbook_text VALUES ($1, $2) ON CONFLICT DO NOTHING"
_PLAYBOOK = "INSERT INTO ledger_playbook VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


class Head(msgspec.Struct, frozen=True):
    """The last numbers that were given, and the hash and the moment of the last batch."""

    seq: int
    batch: int
    previous: bytes
    #: None before the first batch.
    at: datetime | None


class Taken(msgspec.Struct, frozen=True, gc=False):
    """One row of the inbox."""

    id: str
    tenant_id: str
    at: datetime
    raw: bytes
    digest: bytes


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """One row of the ledger."""

    seq: int
    tenant_id: str
    number: int
    id: str
    at: datetime
    kind: str
    digest: bytes
    raw: bytes


class SequencerStore:
    """Reads and writes what the sequencer needs, under the role mesh_ledger."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def take_over(self, holder: str, lease: timedelta) -> int | None:
        """Return the new epoch if the lease had run out, else None."""
        epoch: int | None = await self._tx.fetchval(_TAKE_OVER, holder, lease)
        return epoch

    async def renew(self, epoch: int, lease: timedelta) -> bool:
        """Prolong the lease; False when another epoch has begun."""
        return bool(await self._tx.fetchval(_RENEW, epoch, lease))

    async def release(self, epoch: int) -> None:
        """Give the lease up, if it is still of this epoch."""
        await self._tx.execute(_RELEASE, epoch)

    async def lock(self, epoch: int, lease: timedelta) -> Head | None:
        """Lock the head for this transaction; None when another epoch has begun.

        A holder that stops here with the lock in hand must not stop the evidence: the server
        ends its session once it has said nothing for as long as the lease is.
        """
        idle_ms = lease // timedelta(milliseconds=1)
        await self._tx.execute(f"SET LOCAL idle_in_transaction_session_timeout = {idle_ms}")
        row = await self._tx.fetchrow(_LOCK, epoch)
        return None if row is None else Head(*row)

    async def advance(self, epoch: int, head: Head, lease: timedelta) -> None:
        """Keep the new head and prolong the lease."""
        await self._tx.execute(_ADVANCE, epoch, head.seq, head.batch, head.previous, lease)

    async def take(self, count: int) -> list[Taken]:
        """Remove up to `count` of the oldest rows from the inbox; return them by their moment."""
        rows = await self._tx.fetch(_TAKE, count)
        return sorted((Taken(*row) for row in rows), key=lambda row: (row.at, row.id))

    async def known(self, ids: Sequence[str]) -> set[tuple[str, bytes]]:
        """Return the id and digest of the entries that are numbered already under these ids."""
        return {(row["id"], row["digest"]) for row in await self._tx.fetch(_KNOWN, ids)}

    async def numbers(self, tenants: Sequence[str]) -> dict[str, int]:
        """Return each tenant's last number; a tenant without one is absent."""
        rows = await self._tx.fetch(_NUMBERS, tenants)
        return {row["tenant_id"]: row["number"] for row in rows}

    async def add(
        self, batch: Batch, entries: Sequence[Numbered], numbers: Mapping[str, int]
    ) -> None:
        """Keep a batch, its entries and the tenants' new numbers."""
        columns = zip(*map(msgspec.structs.astuple, entries), strict=True)
        await self._tx.execute(_ENTRIES, *map(list, columns), batch.batch)
        await self._tx.execute(_TENANTS, list(numbers), list(numbers.values()))
        await self._tx.execute(
            _BATCH, batch.batch, batch.first_seq, batch.last_seq, batch.root, batch.previous,
            batch.playbook, batch.at, batch.key_id, batch.signature,
        )  # fmt: skip

    async def add_up(self, tally: Tally) -> None:
        """Add a tally to the roll-ups."""
        if not tally.minutes:
            return
        minutes = [(*key, *count.figures) for key, count in sorted(tally.minutes.items())]
        buckets = [(*key, bucket, n) for (key, bucket), n in sorted(tally.buckets.items())]
        columns = (*_columns(minutes, 11), *_columns(buckets, 6))
        await self._tx.execute(_ADD_UP, *columns)

    async def governing(self, month: Month) -> str | None:
        """Return the digest of the playbook that judges a month; None before the first batch."""
        return await governing(self._tx, month)

    async def promised(self) -> dict[str, Thresholds]:
        """Return the thresholds of every playbook that batches name, by its digest."""
        kind = dict[str, tuple[int, int, int]]
        rows = await self._tx.fetch("SELECT digest, latency FROM ledger_playbook")
        return {row["digest"]: msgspec.convert(row["latency"], kind) for row in rows}

    async def introduce(self, signer: Signer, playbook: Playbook, at: datetime) -> None:
        """Keep the public key and the playbook that the coming batches name, once."""
        await self._tx.execute(_KEY, signer.key_id, signer.public_bytes, at)
        await self._tx.execute(_PLAYBOOK, playbook.digest, thresholds(playbook), at)
        await self._tx.execute(_TEXT, playbook.digest, canonical(playbook).decode())


async def unnumbered(tx: Tx) -> tuple[int, timedelta]:
    """Return how many entries of all tenants wait for their number, and how long the oldest has."""
    row = await tx.fetchrow(_UNNUMBERED)
    return (0, timedelta(0)) if row is None else (row[0], row[1])


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Return rows as columns, so many also of none."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
