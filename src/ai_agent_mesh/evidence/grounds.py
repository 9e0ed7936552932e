"""What stands in a file beside a tenant's own entries, each piece proven by itself: which playbook
judges a month, and what was said of planned work."""

from collections.abc import Callable, Iterable
from hashlib import sha256

import msgspec

from ai_agent_mesh.evidence.audit import Check
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import Entry
from ai_agent_mesh.evidence.rollup import Thresholds, thresholds
from ai_agent_mesh.evidence.stream import Numbered, breaks, is_evidence
from ai_agent_mesh.evidence.turning import Turn
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import Playbook, recalled

#: Hears what is wrong: which check, the place, and why.
Fail = Callable[[Check, str, str], None]


class PlaybookText(msgspec.Struct, frozen=True, tag_field="type", tag="playbook"):
    """A playbook's canonical text; the SHA-256 of its UTF-8 is the digest."""

    digest: str
    text: str


class Grounds:
    """Gathers it, piece by piece, in any order; `fail` hears of each that is amiss."""

    def __init__(self, months: Iterable[Month], fail: Fail) -> None:
        #: By which playbook each month is judged.
        self.turns = [Turn(month) for month in months]
        #: What announces maintenance and calls it off, in the order in which it is here.
        self.acts: list[Numbered] = []
        #: Those whose text is here, by digest, and what each promises of latencies.
        self.playbooks: dict[str, Playbook] = {}
        self.thresholds: dict[str, Thresholds] = {}
        self._fail = fail

    def playbook(self, piece: PlaybookText) -> None:
        """Take the text of a playbook."""
        if sha256(piece.text.encode()).hexdigest() != piece.digest:
            self._fail(Check.PLAYBOOK, piece.digest, "its text does not match its digest")
            return
        try:
            playbook = recalled(piece.text)
        except Fact as fact:
            self._fail(Check.PLAYBOOK, piece.digest, f"it cannot be read: {fact.detail}")
            return
        self.playbooks[piece.digest] = playbook
        self.thresholds[piece.digest] = thresholds(playbook)

    def batch(self, batch: Batch) -> None:
        """Take any batch of the ledger."""
        for turn in self.turns:
            turn.take(batch)

    def entry(self, number: int, entry: Entry, digest: bytes, batch: Batch | None = None) -> bool:
        """Take an entry, its number, digest and batch; tell whether it speaks of planned work."""
        if not is_evidence(entry):
            return False
        self.acts.append(Numbered(number, entry, digest, batch.at if batch else None))
        return True

    def check_acts(self) -> None:
        """Find where the acts about planned work do not follow from each other."""
        for place, reason in breaks(self.acts):
            self._fail(Check.MAINTENANCE, place, reason)

    def check_turns(self) -> None:
        """Find months of which it does not show, or not in words, by what they are judged."""
        for turn in self.turns:
            if turn.judge is None:
                self._fail(Check.PLAYBOOK, str(turn.month), "no batch shows which one judges it")
            elif turn.gap:
                self._fail(Check.PLAYBOOK, str(turn.month), turn.gap)
            elif turn.judge.playbook not in self.playbooks:
                self._fail(Check.PLAYBOOK, turn.judge.playbook, "its text is not here")
