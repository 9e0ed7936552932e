"""Verifies the ledger in the database: everything an export proves, and the roll-ups besides."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ai_agent_mesh.evidence.audit import Audit, Check, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.rollup import Tally, Thresholds, judged
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot
from ai_agent_mesh.product.ledger.corrections import Corrections, check_amendments
from ai_agent_mesh.product.ledger.evidence import Evidence, Head, Row
from ai_agent_mesh.product.ledger.governing import governing

Key = tuple[object, ...]
#: Of each hour with entries, the first and last sequence number.
Hours = dict[datetime, tuple[int, int]]

_PAGE = 100
_HOUR = timedelta(hours=1)


async def verify(
    operations: Database,
    *,
    pinned: Sequence[bytes] = (),
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check the whole ledger up to where it ends now, and recount its roll-ups.

    Numbering may go on meanwhile. Memory stays at a batch, and at an hour of roll-ups. `pinned`
    are the public keys that are trusted (none: those that the ledger names), `progress` hears how
    many entries are checked. `operations` is a pool of the role mesh_operations.
    """
    audit = Audit(pinned=pinned)
    async with snapshot(operations) as tx:
        evidence = Evidence(tx)
        head = await evidence.head()
        keys = await evidence.keys()
    for key_id, public in keys.items():
        audit.key(key_id, public)
    hours = await _check_batches(operations, audit, head, progress)
    _check_head(audit, head)
    await check_amendments(operations, audit)
    await _check_rollups(operations, audit, hours, head)
    return audit.close()


async def _check_batches(
    operations: Database, audit: Audit, head: Head, progress: Callable[[int], None] | None
) -> Hours:
    hours: Hours = {}
    first = 1
    while first <= head.batch:
        async with operations.transaction() as tx:
            batches = await Evidence(tx).batches(first, head.batch, _PAGE)
        if not batches:
            break
        for batch in batches:
            async with operations.transaction() as tx:
                rows = await Evidence(tx).entries(batch)
            audit.batch(batch)
            for row in rows:
                _check_row(audit, batch, row)
                hour = row["at"].replace(minute=0, second=0, microsecond=0)
                hours[hour] = (hours.get(hour, (row["seq"],))[0], row["seq"])
            if progress:
                progress(audit.counted[1])
        first = batches[-1].batch + 1
    return hours


def _check_row(audit: Audit, batch: Batch, row: Row) -> None:
    """Check an entry, and the columns beside its bytes: queries use them, so they must agree."""
    entry = audit.entry(
        row["seq"], row["number"], row["digest"], row["bytes"], tenant=row["tenant_id"]
    )
    if entry is None:
        return
    said = (entry.tenant, entry.id, entry.at, entry.kind, batch.batch)
    kept = (row["tenant_id"], row["id"], row["at"], row["kind"], row["batch"])
    names = ("tenant_id", "id", "at", "kind", "batch")
    for name, one, other in zip(names, said, kept, strict=True):
        if one != other:
            audit.fail(Check.BYTES, f"seq {row['seq']}", f"column {name} differs from the bytes")


def _check_head(audit: Audit, head: Head) -> None:
    last = audit.last
    ends = (last.batch, last.last_seq, last.link) if last else (0, 0, bytes(32))
    if ends != (head.batch, head.seq, head.previous):
        reason = f"it names batch {head.batch}, seq {head.seq}; found {ends[0]}, {ends[1]}"
        audit.fail(Check.HEAD, "head", reason)
    for tenant in sorted(head.numbers.keys() | audit.numbers.keys()):
        found, named = audit.numbers.get(tenant, 0), head.numbers.get(tenant, 0)
        if found != named:
            reason = f"it ends at number {found} where {named} were given"
            audit.fail(Check.HEAD, f"tenant {tenant}", reason)


async def _check_rollups(operations: Database, audit: Audit, hours: Hours, head: Head) -> None:
    async with operations.transaction() as tx:
        evidence = Evidence(tx)
        known = await evidence.hours()
    corrections = Corrections()
    for hour in sorted(hours.keys() | known):
        async with snapshot(operations) as tx:
            evidence = Evidence(tx)
            promised = await _promised(tx, audit, hour)
            tally = await _recount(evidence, promised, hour, hours.get(hour, (1, 0)), head.seq)
            for tenant, one in await corrections.of(evidence, hour):
                tally.add(tenant, one, promised)
            minutes = await evidence.minutes(hour, hour + _HOUR)
            buckets = await evidence.buckets(hour, hour + _HOUR)
        _compare(audit, {key: count.figures for key, count in tally.minutes.items()}, minutes)
        _compare(audit, {(*key, at): n for (key, at), n in tally.buckets.items()}, buckets)


async def _promised(tx: Tx, audit: Audit, hour: datetime) -> Thresholds:
    """Return the thresholds of the playbook that judges the month of an hour."""
    digest = await governing(tx, Month.of(hour))
    kept = await Evidence(tx).playbooks()
    if digest is not None and digest not in kept:
        audit.fail(Check.ROLLUP, f"playbook {digest}", "its thresholds are not kept")
    return kept.get(digest or "", {})


async def _recount(
    evidence: Evidence, promised: Thresholds, hour: datetime, seqs: tuple[int, int], checked: int
) -> Tally:
    """Add up an hour again: what was checked of it, and what was numbered since."""
    newest = (await evidence.head()).seq
    tally = Tally()
    for first, last in (seqs, (checked + 1, newest)):
        async for tenant, raw in evidence.calls(first, last, hour, hour + _HOUR):
            call = judged(raw)
            if call is not None:
                tally.add(tenant, call, promised)
    return tally


def _compare(audit: Audit, counted: Mapping[Key, object], kept: Mapping[Key, object]) -> None:
    for key in sorted(counted.keys() | kept.keys(), key=str):
        if counted.get(key) != kept.get(key):
            place = " ".join(map(str, key))
            reason = f"kept {kept.get(key)}, counted {counted.get(key)}"
            audit.fail(Check.ROLLUP, place, reason)
