"""Which playbook judges a month, seen from signed batches alone: the one that was in force before it."""  # noqa: E501

from dataclasses import dataclass

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.kernel.spans import Month


@dataclass
class Turn:
    """The batches around a month's start: the last one before it, and the first one from it on.

    They follow each other by number, so that none can have been left out between them; a first
    one without a predecessor is the ledger's first.
    """

    month: Month
    before: Batch | None = None
    after: Batch | None = None

    def take(self, batch: Batch) -> None:
        """Take any batch of the ledger, in any order."""
        if batch.at < self.month.since:
            if self.before is None or batch.batch > self.before.batch:
                self.before = batch
        elif self.after is None or batch.batch < self.after.batch:
            self.after = batch

    @property
    def judge(self) -> Batch | None:
        """Return the batch that names the playbook, of those that were taken."""
        return self.before or self.after

    @property
    def gap(self) -> str | None:
        """Return that a batch between the two may have been left out; None where none was."""
        if self.after and self.after.batch != (self.before.batch + 1 if self.before else 1):
            return f"the batch before {self.month} is not here, which names the one that judges it"
        return None

    def differs(self, playbook: str, *, over: bool) -> str | None:
        """Return why a playbook is not shown to judge the month; None where it is.

        Of a month that is not `over` nothing need have been numbered yet: the last batch that is
        here, or without any the playbook itself, is then taken as told.
        """
        if self.after is None and over:
            return f"no batch shows which one judges {self.month}"
        gap = self.gap
        if gap:
            return gap
        judge = self.judge
        if judge is not None and judge.playbook != playbook:
            return f"{self.month} is judged by {judge.playbook}, which batch {judge.batch} names"
        return None
