"""Reads the ledger's part of a bundle: loose entries, and all of a tenant's under its head."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from ai_agent_mesh.evidence import (
    Amendment,
    Audit,
    Batch,
    Check,
    Entry,
    EntryUnreadable,
    Grounds,
    Growing,
    Kind,
    Line,
    TenantHead,
    Thresholds,
    fault_after,
    leaf_data,
    leaf_hash,
)
from ai_agent_mesh.kernel.spans import Span, minute_of
from ai_agent_mesh.operations.planned import Told, is_telling, telling
from ai_agent_mesh.operations.statements.counting import Counts
from ai_agent_mesh.operations.statements.findings import Findings
from ai_agent_mesh.operations.statements.model import PROBE, Correction
from ai_agent_mesh.operations.statements.statement import LedgerRange
from ai_agent_mesh.sla import Service


@dataclass
class Section:
    """Entries that belong together: all of one tenant under its head, or loose ones, each alone."""

    audit: Audit
    head: TenantHead | None = None
    tree: Growing = field(default_factory=Growing)
    first: int = 0
    last: int = 0
    inside: int = 0


class Sections:
    """Counts calls, and keeps what else the figures need but what all share: `Grounds`."""

    def __init__(
        self,
        span: Span,
        whose: Sequence[str],
        findings: Findings,
        playbook: str,
        grounds: Grounds,
    ) -> None:
        self._whose = whose
        self.counts = Counts(span)
        #: What became of telling the tenant's subscribers: loose entries first, in their order.
        self.told: list[Told] = []
        self._told_by: set[str] = set()
        #: Corrections of calls in the span: all come before the tenants' own sections.
        self.corrections: list[Correction] = []
        self._corrected_by: set[str] = set()
        self._corrected: dict[str, list[Amendment]] = {}
        self._held: set[str] = set()
        self.watched: dict[Service, datetime] = {}
        #: The sections that have a head, by tenant.
        self.whole: dict[str, Section] = {}
        self.entries = self.batches = 0
        self._span = span
        self._findings = findings
        #: The digest of the playbook that the span is judged by.
        self._playbook = playbook
        self._grounds = grounds
        self._open: Section | None = None

    def head(self, head: TenantHead) -> None:
        """End the section before and begin a tenant's."""
        self.close()
        if head.tenant in self.whole:
            self._findings.fail(Check.HEAD, f"head of {head.tenant}", "it is there twice")
        if head.tenant in self._whose:
            self.whole[head.tenant] = self._begin(head)
        else:
            self._findings.fail(Check.HEAD, f"head of {head.tenant}", "it is of another tenant")
            self._begin(head)

    def batch(self, batch: Batch) -> None:
        """Take the batch that the next entries are of."""
        self.batches += 1
        self._grounds.batch(batch)
        self._section().audit.batch(batch)

    def entry(self, line: Line) -> None:
        """Take an entry."""
        section, raw = self._section(), line.text.encode()
        self.entries += 1
        whose = section.head.tenant if section.head else None
        entry = section.audit.entry(
            line.seq, line.number, line.digest, raw, line.path or (), tenant=whose
        )
        if section.head is not None:
            leaf = leaf_data(line.seq, line.number, sha256(raw).digest())
            section.tree.add(leaf_hash(leaf))
            section.first, section.last = section.first or line.number, line.number
        if entry is not None:
            self._watch(entry)
            self._count(section, line, entry)

    def close(self) -> None:
        """End the present section, if there is one, and check it against its head."""
        section, self._open = self._open, None
        if section is None:
            return
        report = section.audit.close()
        for failure in report.failures:
            self._findings.fail(failure.check, failure.place, failure.reason, failure.times)
        self._findings.signers.update(report.keys)
        if section.head is not None:
            self._check_head(section, section.head)

    def range(self, tenant: str) -> LedgerRange:
        """Return which numbers of a tenant were here, and how many lie in the span."""
        one = self.whole.get(tenant)
        if one is None:
            return LedgerRange(tenant, None, None, 0)
        return LedgerRange(tenant, one.first or None, one.last or None, one.inside)

    def _section(self) -> Section:
        return self._open or self._begin(None)

    def _begin(self, head: TenantHead | None) -> Section:
        pinned = tuple(self._findings.pinned)
        audit = Audit(from_start=False, sparse=True, gapless=head is not None, pinned=pinned)
        for key_id, public in self._findings.keys.items():
            audit.key(key_id, public)
        self._open = Section(audit, head)
        return self._open

    def _count(self, section: Section, line: Line, entry: Entry) -> None:
        if section.head is None:
            if self._grounds.entry(line.number, entry, line.digest, section.audit.last):
                return
            if is_telling(entry):
                self._tell(line, entry)
            elif entry.kind is Kind.AMENDMENT:
                self._correct(line, entry)
            return
        if entry.tenant != section.head.tenant:
            self._findings.fail(
                Check.SEQUENCE, f"seq {line.seq}", f"it is of tenant {entry.tenant}"
            )
            return
        if entry.tenant not in self._whose:
            return
        if self._playbook not in self._grounds.thresholds:
            self._findings.fail(Check.PLAYBOOK, self._playbook, "it is not in the bundle")
        section.inside += self.counts.add(entry, self._promised)
        self._hold(line, entry)
        if is_telling(entry):
            self._tell(line, entry)

    def check_corrections(self) -> None:
        """Find the corrections whose call was not among the tenants' entries."""
        for one in self.corrections:
            if one.amendment.digest not in self._held:
                self._amiss(one.made, "the call that it corrects is not here")

    def _tell(self, line: Line, entry: Entry) -> None:
        """Keep a delivery of the tenant's, once."""
        if entry.tenant != self._whose[0] or entry.id in self._told_by:
            return
        self._told_by.add(entry.id)
        try:
            self.told.append(telling(line.number, entry))
        except EntryUnreadable as fact:
            self._findings.fail(Check.MAINTENANCE, entry.id, fact.detail)

    def _correct(self, line: Line, made: Entry) -> None:
        try:
            one = Correction.read(line.number, made)
        except EntryUnreadable as fact:
            self._amiss(made, fact.detail)
            return
        if one.amendment.tenant not in self._whose:
            self._amiss(made, "it is of another tenant")
            return
        self.corrections.append(one)
        self._corrected_by.add(made.id)
        self._corrected.setdefault(one.amendment.digest, []).append(one.amendment)
        self.counts.correct(one.amendment, self._promised)

    def _hold(self, line: Line, entry: Entry) -> None:
        """Hold a call against its corrections, and a correction against those that came first."""
        unlisted = entry.kind is Kind.AMENDMENT and entry.id not in self._corrected_by
        if unlisted and self._concerns(entry):
            self._amiss(entry, "it is not among the corrections that come first")
        digest = line.digest.hex()
        chain = self._corrected.get(digest)
        if chain is None:
            return
        self._held.add(digest)
        wrong = [one.differs(entry) or self._misjudged(one) for one in chain]
        if any(wrong):
            self._amiss(entry, f"its correction repeats {next(filter(None, wrong))} wrongly")
        elif fault_after(entry.fault, chain) is None:
            self._amiss(entry, "its corrections contradict it or each other")

    @property
    def _promised(self) -> Thresholds:
        return self._grounds.thresholds.get(self._playbook, {})

    def _misjudged(self, one: Amendment) -> str | None:
        return None if one.judged_by == self._playbook else "judged_by"

    def _concerns(self, made: Entry) -> bool:
        try:
            return self._span.holds(Amendment.read(made).at)
        except EntryUnreadable:
            return False

    def _amiss(self, entry: Entry, reason: str) -> None:
        self._findings.fail(Check.AMENDMENT, entry.id, reason)

    def _watch(self, entry: Entry) -> None:
        probed = entry.tenant == PROBE and entry.kind is Kind.CALL
        if probed and entry.service and entry.at < self._span.until:
            at = minute_of(entry.at)
            self.watched[entry.service] = min(self.watched.get(entry.service, at), at)

    def _check_head(self, section: Section, head: TenantHead) -> None:
        place, fail = f"head of {head.tenant}", self._findings.fail
        here = f"{section.first} to {section.last}"
        named = f"{head.first_number} to {head.last_number}"
        if (head.since, head.until) != (self._span.since, self._span.until):
            fail(Check.HEAD, place, "it is of another span")
        if here != named:
            fail(Check.HEAD, place, f"it names numbers {named}; here are {here}")
        elif section.tree.root != head.root:
            fail(Check.HEAD, place, "the entries do not give its root")
        elif section.inside != head.entries:
            fail(Check.HEAD, place, f"{section.inside} lie in the span, not {head.entries}")
        self._findings.signed(head.key_id, head.signature, head.text, place)
