"""The exported form of the ledger: lines of JSON that prove themselves (`docs/ledger.md`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from ai_agent_mesh.evidence.audit import Audit, Check, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.fields import Whole
from ai_agent_mesh.evidence.grounds import Grounds, PlaybookText
from ai_agent_mesh.evidence.turning import Turn
from ai_agent_mesh.kernel.spans import Month

#: The form that is written; version 1 had no context.
VERSION = 2


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
    """An entry with its verbatim bytes as text; one that is proven alone has its inclusion path."""

    seq: Whole
    number: Whole
    digest: bytes
    text: str
    path: Sequence[bytes] | None = None


class Context(msgspec.Struct, frozen=True, tag_field="type", tag="context"):
    """Ends the entries that the file is of; what follows them is what they are judged by."""


class End(msgspec.Struct, frozen=True, tag_field="type", tag="end"):
    """The last line: how much there was, so that a file cut short is noticed."""

    batches: Whole
    entries: Whole


Piece = Header | Key | Batch | Line | Context | PlaybookText | End

_DECODER = msgspec.json.Decoder(Piece)


def audited(lines: Iterable[bytes], *, pinned: Sequence[bytes] = ()) -> Report:
    """Check exported lines and return what was found; memory stays at one batch.

    The report's counts are of the entries that the file is of; what is wrong with their context is
    among its failures.
    """
    lines = iter(lines)
    reading = _Reading(next(lines, b""), pinned)
    for count, line in enumerate(lines, 2):
        if reading.ended:
            reading.fail(Check.FILE, f"line {count}", "something follows the end")
            break
        try:
            piece = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reading.fail(Check.FILE, f"line {count}", f"it cannot be read: {error}")
            continue
        reading.take(piece, f"line {count}")
    return reading.close()


class _Reading:
    """An export as it comes: its entries, and after them their context."""

    def __init__(self, first: bytes, pinned: Sequence[bytes]) -> None:
        self._pinned = pinned
        self._keys: list[Key] = []
        self._months: set[Month] = set()
        #: What the entries are judged by, and the batches and entries of the context.
        self._grounds = Grounds((), self.fail)
        self._beside: Audit | None = None
        self.ended = False
        wrong = ""
        try:
            header = msgspec.json.decode(first, type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            header, wrong = (
                Header(None, None, None),
                f"it is not the head of a ledger export: {error}",
            )
        if not 1 <= header.version <= VERSION:
            wrong = f"it is of version {header.version}; up to {VERSION} is known here"
        self._version = header.version
        self._audit = Audit(
            from_start=header.since is None, sparse=header.tenant is not None, pinned=pinned
        )
        if wrong:
            self.fail(Check.FILE, "line 1", wrong)

    def fail(self, check: Check, place: str, reason: str) -> None:
        """Remember what is wrong."""
        self._audit.fail(check, place, reason)

    def take(self, piece: Piece, place: str) -> None:
        """Take the next line."""
        match piece:
            case Key():
                self._keys.append(piece)
                self._audit.key(piece.key_id, piece.public)
            case Batch():
                (self._beside or self._audit).batch(piece)
                self._grounds.batch(piece)
            case Line():
                self._entry(piece)
            case Context() if self._beside is None:
                self._begin_context()
            case PlaybookText() if self._beside is not None:
                self._grounds.playbook(piece)
            case End():
                self.ended = True
                if (piece.batches, piece.entries) != self._counted:
                    self.fail(Check.FILE, place, "lines are missing or too many")
            case _:
                self.fail(Check.FILE, place, "it has no place here")

    def close(self) -> Report:
        """Hold what there was against itself, and return what was found."""
        if not self.ended:
            self.fail(Check.FILE, "end", "the file is cut short: its last line is missing")
        elif self._beside is None and self._version > 1:
            self.fail(Check.FILE, "end", "the context is missing")
        if self._beside is not None:
            for one in self._beside.close().failures:
                self.fail(one.check, one.place, one.reason)
            self._grounds.acts.sort(key=lambda act: (act.entry.at, act.entry.id))
            self._grounds.check_turns()
            self._grounds.check_acts()
        return self._audit.close()

    @property
    def _counted(self) -> tuple[int, int]:
        batches, entries = self._audit.counted
        more = self._beside.counted if self._beside else (0, 0)
        return batches + more[0], entries + more[1]

    def _begin_context(self) -> None:
        self._grounds.turns += map(Turn, sorted(self._months))
        self._beside = Audit(from_start=False, sparse=True, gapless=False, pinned=self._pinned)
        for key in self._keys:
            self._beside.key(key.key_id, key.public)

    def _entry(self, line: Line) -> None:
        raw = line.text.encode()
        if self._beside is None:
            entry = self._audit.entry(line.seq, line.number, line.digest, raw, line.path)
        else:
            entry = self._beside.entry(line.seq, line.number, line.digest, raw, line.path or ())
        if entry is None:
            return
        self._grounds.entry(line.number, entry, line.digest)
        if self._beside is None:
            self._months.add(Month.of(entry.at))
