"""What an export's entries are judged by: playbooks, planned work and corrections, as found."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from ai_agent_mesh.evidence import Amendment, Entry, EntryUnreadable, PlaybookText
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.stream import Numbered, is_evidence
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger.governing import playbook_text, turn

_MOMENTS = """
SELECT min(at), max(at) FROM ledger_entry
WHERE ($1::text IS NULL OR tenant_id = $1) AND seq BETWEEN $2 AND $3
"""
_ACTS = """
SELECT number, bytes, digest FROM ledger_entry
WHERE tenant_id = 'platform' AND kind = 'act' AND seq NOT BETWEEN $1 AND $2
ORDER BY at, id COLLATE "C"
"""
_AMENDMENTS = """
SELECT tenant_id, number, bytes FROM ledger_entry
WHERE kind = 'amendment' AND ($1::text IS NULL OR tenant_id = $1) AND (seq < $2 OR seq > $3)
ORDER BY seq
"""


async def months(tx: Tx, tenant: str | None, seqs: tuple[int, int]) -> tuple[Month, ...]:
    """Return the months from the first to the last moment of some entries, by their numbers."""
    first, last = await tx.fetchrow(_MOMENTS, tenant, *seqs) or (None, None)
    return Span(first, last).months if first and last else ()


async def acts(tx: Tx, but: tuple[int, int] = (0, 0)) -> list[Numbered]:
    """Return what the platform's operators said of planned work, from the ledger's bytes.

    Left out is what was numbered between two of the ledger's numbers, both included. `tx` is of the
    operations role.

    Raises:
        EntryUnreadable: bytes are not an entry.
    """
    rows = await tx.fetch(_ACTS, *but)
    found = [Numbered(row["number"], Entry.decode(row["bytes"]), row["digest"]) for row in rows]
    return [act for act in found if is_evidence(act.entry)]


async def turns(tx: Tx, months: Iterable[Month]) -> list[Batch]:
    """Return the batches that show which playbook judges each month, each once, in their order."""
    found = {one.batch: one for month in months for one in await turn(tx, month)}
    return [found[number] for number in sorted(found)]


async def playbooks(tx: Tx, batches: Iterable[Batch]) -> AsyncIterator[PlaybookText]:
    """Yield the texts of the playbooks that batches name, where they are kept."""
    for digest in dict.fromkeys(one.playbook for one in batches):
        text = await playbook_text(tx, digest)
        if text is not None:
            yield PlaybookText(digest, text)


async def corrections(
    tx: Tx,
    tenant: str | None,
    since: datetime | None,
    until: datetime | None,
    seqs: tuple[int, int],
) -> list[tuple[str, int]]:
    """Return tenant and number of corrections of a span's calls but those numbered inside `seqs`.

    What cannot be read corrects nothing.
    """
    rows = await tx.fetch(_AMENDMENTS, tenant, *seqs)
    return [
        (row["tenant_id"], row["number"])
        for row in rows
        if (at := _corrected_at(row["bytes"])) is not None
        and (since is None or at >= since)
        and (until is None or at < until)
    ]


def _corrected_at(raw: bytes) -> datetime | None:
    try:
        return Amendment.read(Entry.decode(raw)).at
    except EntryUnreadable:
        return None
