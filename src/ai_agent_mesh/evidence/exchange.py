"""The exported form of the ledger: lines of JSON that prove themselves (`docs/ledger.md`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ai_agent_mesh.evidence.audit import Audit, Check, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.fields import Whole


class Header(msgspec.Struct, frozen=True, tag_field="type", tag="ledger"):
    """The first line: what the file holds. Without `since` it begins where the evidence begins."""

    tenant: str | None
    since: datetime | None
    until: datetime | None
    version: int = 1


class Key(msgspec.Struct, frozen=True, tag_field="type", tag="key"):
    """A public key (Ed25519, base64) that batches name."""

    key_id: str
    public: bytes


class Line(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="entry"):
    """An entry with its verbatim bytes as text; of one tenant's export, its inclusion path too."""

    seq: Whole
    number: Whole
    digest: bytes
    text: str
    path: Sequence[bytes] | None = None


class End(msgspec.Struct, frozen=True, tag_field="type", tag="end"):
    """The last line: how much there was, so that a file cut short is noticed."""

    batches: Whole
    entries: Whole


Piece = Header | Key | Batch | Line | End

_DECODER = msgspec.json.Decoder(Piece)


def audited(lines: Iterable[bytes], *, pinned: Sequence[bytes] = ()) -> Report:
    """Check exported lines and return what was found; memory stays at one batch."""
    lines = iter(lines)
    audit, ended = _opened(next(lines, b""), pinned), False
    for count, line in enumerate(lines, 2):
        if ended:
            audit.fail(Check.FILE, f"line {count}", "something follows the end")
            break
        try:
            piece = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            audit.fail(Check.FILE, f"line {count}", f"it cannot be read: {error}")
            continue
        ended = _take(audit, piece, count)
    if not ended:
        audit.fail(Check.FILE, "end", "the file is cut short: its last line is missing")
    return audit.close()


def _opened(first: bytes, pinned: Sequence[bytes]) -> Audit:
    try:
        header = msgspec.json.decode(first, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        audit = Audit(pinned=pinned)
        audit.fail(Check.FILE, "line 1", f"it is not the head of a ledger export: {error}")
        return audit
    return Audit(from_start=header.since is None, sparse=header.tenant is not None, pinned=pinned)


def _take(audit: Audit, piece: Piece, count: int) -> bool:
    match piece:
        case Key():
            audit.key(piece.key_id, piece.public)
        case Batch():
            audit.batch(piece)
        case Line():
            audit.entry(piece.seq, piece.number, piece.digest, piece.text.encode(), piece.path)
        case End():
            if (piece.batches, piece.entries) != audit.counted:
                audit.fail(Check.FILE, f"line {count}", "lines are missing or too many")
            return True
        case Header():
            audit.fail(Check.FILE, f"line {count}", "a second head")
    return False
