"""Checks an evidence bundle as a stranger would: by the lines alone, one after the other."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from ai_agent_mesh.evidence import (
    Batch,
    Check,
    End,
    Failure,
    Grounds,
    Key,
    Line,
    MinutesSeal,
    PlaybookText,
    TenantHead,
)
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import notice_asked
from ai_agent_mesh.operations.statements import bundle
from ai_agent_mesh.operations.statements.bundle import MinutesLine, Piece, Stated
from ai_agent_mesh.operations.statements.counting import Counts
from ai_agent_mesh.operations.statements.counting import Key as CountKey
from ai_agent_mesh.operations.statements.findings import Findings
from ai_agent_mesh.operations.statements.model import PROBE
from ai_agent_mesh.operations.statements.premises import doubtful, is_canonical, misspanned
from ai_agent_mesh.operations.statements.restating import Proven, first_untrue, restated
from ai_agent_mesh.operations.statements.rules import settled_until
from ai_agent_mesh.operations.statements.sections import Sections
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Service, minute_number

#: What a file may claim to judge; beyond it the minutes would not fit into memory.
LONGEST = timedelta(days=366)


class Verdict(msgspec.Struct, frozen=True):
    """What was checked and what failed: of each check the first place, the worst first."""

    statement: Statement | None
    #: `entries` when every figure was drawn from the ledger's entries, `minutes` when from signed
    #: roll-ups alone.
    drawn_from: str
    entries: int
    batches: int
    keys: Sequence[str]
    failures: Sequence[Failure]

    @property
    def sound(self) -> bool:
        """Tell whether nothing failed."""
        return not self.failures


def verified(lines: Iterable[bytes], *, pinned: Sequence[bytes] = ()) -> Verdict:
    """Check a bundle and compute every figure of its statement again.

    Memory stays at the minutes of the span. `pinned` public keys are the only ones whose
    signatures count, when there are any; else those that the bundle brings.
    """
    return _Verifier(pinned).run(lines)


class _Verifier:
    def __init__(self, pinned: Sequence[bytes]) -> None:
        self._findings = Findings(pinned)
        self._fail = self._findings.fail
        self._sealed: set[str] = set()
        #: The minutes since the last seal: whose, how many lines, and their digest.
        self._run: str | None = None
        self._digest, self._minutes_lines = sha256(), 0

    def run(self, lines: Iterable[bytes]) -> Verdict:
        lines = iter(lines)
        opened = self._opened(next(lines, b""))
        if opened is None:
            return Verdict(None, "nothing", 0, 0, (), self._findings.failures)
        self._stated, self._statement = opened
        self._span = Span(self._statement.since, self._statement.until)
        self._told = Counts(self._span)
        self._whose = (self._statement.tenant, PROBE)
        months = self._span.months if self._span.length else ()
        self._grounds = Grounds(months, self._fail)
        playbook = self._statement.playbook
        self._sections = Sections(self._span, self._whose, self._findings, playbook, self._grounds)
        self._read(lines)
        self._sections.close()
        self._close_minutes()
        self._check_turns()
        self._check_figures()
        self._check_statement()
        return Verdict(
            self._statement,
            "entries" if self._sections.whole else "minutes",
            self._sections.entries,
            self._sections.batches,
            sorted(self._findings.signers),
            self._findings.failures,
        )

    def _opened(self, first: bytes) -> tuple[Stated, Statement] | None:
        try:
            stated = msgspec.json.decode(first, type=Stated)
            statement = msgspec.json.decode(stated.text, type=Statement)
            span = Span(statement.since, statement.until)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Fact) as error:
            self._fail(Check.FILE, "line 1", f"it is not a statement: {error}")
            return None
        if not is_canonical(stated.text):
            self._fail(Check.FILE, "line 1", "its text is not in canonical form")
            return None
        within = all(span.since <= one.since <= one.until <= span.until for one in statement.parts)
        if span.length > LONGEST or not statement.parts or not within:
            self._fail(Check.FILE, "line 1", "it states no span that can be judged")
            return None
        return stated, statement

    def _read(self, lines: Iterator[bytes]) -> None:
        ended = False
        for count, raw in enumerate(lines, 2):
            place = f"line {count}"
            if ended:
                self._fail(Check.FILE, place, "something follows the end")
                return
            try:
                ended = self._take(bundle.decoder.decode(raw), raw, place)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                self._fail(Check.FILE, place, f"it cannot be read: {error}")
        if not ended:
            self._fail(Check.FILE, "end", "the file is cut short: its last line is missing")

    def _take(self, piece: Piece, raw: bytes, place: str) -> bool:
        match piece:
            case Key():
                self._findings.key(piece.key_id, piece.public)
            case PlaybookText():
                self._grounds.playbook(piece)
            case MinutesLine():
                self._minutes(piece, raw)
            case MinutesSeal():
                self._seal(piece)
            case TenantHead():
                self._sections.head(piece)
            case Batch():
                self._sections.batch(piece)
            case Line():
                self._sections.entry(piece)
            case End():
                here = (self._sections.batches, self._sections.entries)
                if (piece.batches, piece.entries) != here:
                    self._fail(Check.FILE, place, "lines are missing or too many")
                return True
            case Stated():
                self._fail(Check.FILE, place, "a second statement")
        return False

    def _minutes(self, piece: MinutesLine, raw: bytes) -> None:
        if self._run not in (None, piece.tenant):
            self._close_minutes()
        self._run = piece.tenant
        self._digest.update(raw)
        self._minutes_lines += 1
        if piece.tenant not in self._whose:
            return
        first = minute_number(piece.since)
        key = CountKey(piece.tenant, piece.service, piece.category)
        for offset, *figures in piece.counts:
            self._told.put(key, first + offset, figures)

    def _seal(self, seal: MinutesSeal) -> None:
        place = f"minutes of {seal.tenant}"
        if seal.tenant not in self._whose:
            self._fail(Check.ROLLUP, place, "they are of another tenant")
        if seal.tenant in self._sealed:
            self._fail(Check.ROLLUP, place, "they are sealed twice")
        if self._run not in (None, seal.tenant):
            self._close_minutes()
        if (seal.lines, seal.digest) != (self._minutes_lines, self._digest.digest()):
            self._fail(Check.ROLLUP, place, "they are not those that were sealed")
        if (seal.since, seal.until) != (self._span.since, self._span.until):
            self._fail(Check.ROLLUP, place, "their seal is of another span")
        self._findings.signed(seal.key_id, seal.signature, seal.text, place)
        self._sealed.add(seal.tenant)
        self._begin_minutes()

    def _close_minutes(self) -> None:
        """Find minutes that no seal of their tenant covers."""
        if self._run is not None:
            self._fail(Check.ROLLUP, f"minutes of {self._run}", "no seal of their own covers them")
        self._begin_minutes()

    def _begin_minutes(self) -> None:
        self._run, self._digest, self._minutes_lines = None, sha256(), 0

    def _check_turns(self) -> None:
        """Find a month that the statement's playbook does not judge."""
        told = self._statement
        for one in self._grounds.turns:
            reason = one.differs(told.playbook, over=not told.so_far)
            if reason:
                self._fail(Check.PLAYBOOK, str(one.month), reason)

    def _check_figures(self) -> None:
        whose = self._whose
        if self._statement.planned_work is not msgspec.UNSET:
            self._grounds.check_acts()
        if self._sections.whole:
            self._sections.check_corrections()
            for tenant in whose:
                if tenant not in self._sections.whole:
                    self._fail(Check.HEAD, f"head of {tenant}", "it is missing")
            found = self._told.first_difference(self._sections.counts)
            if found:
                self._fail(Check.ROLLUP, found[0], f"told {found[1]}, counted {found[2]}")
        for tenant in whose:
            if tenant not in self._sealed:
                self._fail(Check.ROLLUP, f"minutes of {tenant}", "their seal is missing")
        playbook = self._grounds.playbooks.get(self._statement.playbook)
        if playbook is None:
            self._fail(Check.PLAYBOOK, self._statement.playbook, "it is not in the bundle")
            return
        self._compare(playbook)

    def _compare(self, playbook: Playbook) -> None:
        told = self._statement
        try:
            amiss = misspanned(told, playbook)
            again = restated(told, self._proven(), playbook)
        except (Fact, ValueError, TypeError, KeyError, ArithmeticError) as error:
            self._fail(Check.FIGURE, "statement", f"it cannot be computed again: {error}")
            return
        self._doubt(playbook)
        difference = amiss or first_untrue(self._stated.text, again)
        if difference:
            place, left, right = difference
            self._fail(Check.FIGURE, place, f"stated {left}, recomputed {right}")

    def _doubt(self, playbook: Playbook) -> None:
        """Find what speaks against the acts about planned work."""
        if self._statement.planned_work is msgspec.UNSET:
            return
        settled = settled_until(self._statement.computed_at, playbook)
        acts, told = self._grounds.acts, self._sections.told
        for place, reason in doubtful(acts, told, settled, notice_asked(playbook)):
            self._fail(Check.MAINTENANCE, place, reason)

    def _proven(self) -> Proven:
        told, found, acts = self._statement, self._sections, self._grounds.acts
        if found.whole:
            ledger = [found.range(who) for who in self._whose]
            return Proven(found.counts, found.watched, acts, ledger, found.corrections, found.told)
        watched = _stated_watches(told)
        return Proven(self._told, watched, acts, told.ledger, found.corrections, found.told)

    def _check_statement(self) -> None:
        stated = self._stated
        text = bundle.signed_text(stated.text.encode())
        self._findings.signed(stated.key_id, stated.signature, text, "statement")


def _stated_watches(statement: Statement) -> dict[Service, datetime]:
    return {
        Service(one.service): one.watched_since
        for one in statement.services
        if one.watched_since is not None
    }
