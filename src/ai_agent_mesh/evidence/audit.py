"""Checks evidence piece by piece and remembers the first failure of each check."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec

from ai_agent_mesh.evidence.batch import NO_STATEMENT, Batch
from ai_agent_mesh.evidence.entry import Entry, EntryUnreadable
from ai_agent_mesh.evidence.signature import key_id_of, verify
from ai_agent_mesh.evidence.tree import includes, leaf_data, leaf_hash, root


class Check(StrEnum):
    """What can be wrong with a ledger."""

    BYTES = "bytes"
    SEQUENCE = "sequence"
    NUMBERING = "numbering"
    ROOT = "root"
    SIGNATURE = "signature"
    CHAIN = "chain"
    HEAD = "head"
    AMENDMENT = "amendment"
    MAINTENANCE = "maintenance"
    ROLLUP = "roll-up"
    FILE = "file"
    PLAYBOOK = "playbook"
    FIGURE = "figure"


class Failure(msgspec.Struct, frozen=True):
    """The first place where a check failed, why, and how often it failed in all."""

    check: Check
    place: str
    reason: str
    times: int


class Report(msgspec.Struct, frozen=True):
    """What was checked and what failed."""

    batches: int
    entries: int
    #: By tenant, the last number that was seen.
    tenants: Mapping[str, int]
    keys: Sequence[str]
    failures: Sequence[Failure]

    @property
    def sound(self) -> bool:
        """Tell whether nothing failed."""
        return not self.failures


class Audit:
    """Takes keys, then batches, each followed by its entries in the order of their sequence.

    With `from_start` every tenant's numbers must begin at 1, and so must the batches; `sparse`
    evidence (one tenant's) may leave batches out, and its entries bring their own inclusion paths.
    Without `gapless` each entry stands alone, and batches and numbers may come in any order.
    `pinned` public keys are the only ones whose signatures count, when there are any.
    """

    def __init__(
        self,
        *,
        from_start: bool = True,
        sparse: bool = False,
        gapless: bool = True,
        pinned: Sequence[bytes] = (),
    ) -> None:
        self._gapless = gapless
        self._from_start = from_start
        self._sparse = sparse
        self._pinned = frozenset(pinned)
        self._keys: dict[str, bytes] = {}
        self._signers: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._failures: dict[Check, Failure] = {}
        self._open: Batch | None = None
        self._leaves: list[bytes] = []
        self._next_seq = 1
        self._batches = 0
        self._entries = 0

    def fail(self, check: Check, place: str, reason: str) -> None:
        """Remember a failure; of each check the first is kept and the others are counted."""
        first = self._failures.get(check)
        if first is None:
            self._failures[check] = Failure(check, place, reason, 1)
        else:
            self._failures[check] = msgspec.structs.replace(first, times=first.times + 1)

    def key(self, key_id: str, public: bytes) -> None:
        """Take a public key that batches may name."""
        if key_id_of(public) != key_id:
            self.fail(Check.SIGNATURE, f"key {key_id}", "this is not the name of its public key")
            return
        self._keys[key_id] = public

    def batch(self, batch: Batch) -> None:
        """Take the next batch, once the one before is complete."""
        before = self._open
        self._close()
        self._open = batch
        self._batches += 1
        self._check_order(before, batch)
        self._check_signature(batch)
        self._next_seq = batch.first_seq

    def entry(
        self,
        seq: int,
        number: int,
        digest: bytes,
        raw: bytes,
        path: Sequence[bytes] | None = None,
        *,
        tenant: str | None = None,
    ) -> Entry | None:
        """Take the next entry of the batch and return it, or None when it cannot be read.

        `tenant` says whose it is when the bytes cannot.
        """
        self._entries += 1
        place = f"seq {seq}"
        actual = sha256(raw).digest()
        if actual != digest:
            self.fail(Check.BYTES, place, "the bytes do not match their hash")
        leaf = leaf_hash(leaf_data(seq, number, actual))
        if path is None:
            self._check_seq(seq)
            self._leaves.append(leaf)
        else:
            self._check_path(seq, leaf, path)
        try:
            entry = Entry.decode(raw)
        except EntryUnreadable as fact:
            self.fail(Check.BYTES, place, fact.detail)
            if tenant is not None:
                self._check_number(place, tenant, number)
            return None
        self._check_number(place, entry.tenant, number)
        return entry

    def close(self) -> Report:
        """Complete the last batch and return the report."""
        self._close()
        return Report(
            self._batches,
            self._entries,
            dict(sorted(self._numbers.items())),
            sorted(self._signers),
            list(self._failures.values()),
        )

    @property
    def last(self) -> Batch | None:
        """Return the batch that was taken last."""
        return self._open

    @property
    def numbers(self) -> Mapping[str, int]:
        """Return each tenant's last number."""
        return self._numbers

    @property
    def counted(self) -> tuple[int, int]:
        """Return how many batches and entries were taken."""
        return self._batches, self._entries

    def _close(self) -> None:
        batch = self._open
        if batch is None or self._sparse:
            return
        if self._next_seq <= batch.last_seq:
            self.fail(Check.SEQUENCE, f"seq {self._next_seq}", "the entry is missing")
        if root(self._leaves) != batch.root:
            self.fail(Check.ROOT, _place(batch), "its entries do not give the signed root")
        self._leaves = []

    def _check_order(self, before: Batch | None, batch: Batch) -> None:
        place = _place(batch)
        if before is None:
            if self._from_start and not self._sparse and (batch.batch, batch.first_seq) != (1, 1):
                self.fail(Check.SEQUENCE, place, "the batches before it are missing")
            if batch.batch == 1 and batch.previous != NO_STATEMENT:
                self.fail(Check.CHAIN, place, "the first batch names one before it")
        elif batch.batch == before.batch + 1:
            if batch.first_seq != before.last_seq + 1:
                reason = f"it starts at seq {batch.first_seq}, not {before.last_seq + 1}"
                self.fail(Check.SEQUENCE, place, reason)
            if batch.previous != before.link:
                self.fail(Check.CHAIN, place, "it does not name the batch before it")
        elif self._gapless and (not self._sparse or batch.batch <= before.batch):
            self.fail(Check.SEQUENCE, place, f"it follows batch {before.batch}")
        if batch.size < 1:
            self.fail(Check.SEQUENCE, place, "it is empty")

    def _check_signature(self, batch: Batch) -> None:
        public = self._keys.get(batch.key_id)
        if public is None:
            self.fail(Check.SIGNATURE, _place(batch), f"its key {batch.key_id} is not known")
        elif self._pinned and public not in self._pinned:
            self.fail(Check.SIGNATURE, _place(batch), f"its key {batch.key_id} is not trusted")
        elif not verify(public, batch.signature, batch.statement):
            self.fail(Check.SIGNATURE, _place(batch), "its signature does not hold")
        else:
            self._signers.add(batch.key_id)

    def _check_seq(self, seq: int) -> None:
        if self._open is None or seq > self._open.last_seq:
            self.fail(Check.SEQUENCE, f"seq {seq}", "it belongs to no batch")
        elif seq != self._next_seq:
            reason = f"the entry is missing; seq {seq} comes instead"
            self.fail(Check.SEQUENCE, f"seq {self._next_seq}", reason)
        self._next_seq = seq + 1

    def _check_path(self, seq: int, leaf: bytes, path: Sequence[bytes]) -> None:
        batch = self._open
        if batch is None or not batch.first_seq <= seq <= batch.last_seq:
            self.fail(Check.SEQUENCE, f"seq {seq}", "it belongs to no batch that is here")
        elif not includes(batch.root, seq - batch.first_seq, batch.size, leaf, path):
            self.fail(Check.ROOT, f"seq {seq}", "its path does not lead to the signed root")

    def _check_number(self, place: str, tenant: str, number: int) -> None:
        before = self._numbers.get(tenant)
        expected = before + 1 if before is not None else 1 if self._from_start else number
        if number != expected and self._gapless:
            reason = f"tenant {tenant} has number {number} where {expected} is due"
            self.fail(Check.NUMBERING, place, reason)
        self._numbers[tenant] = number


def _place(batch: Batch) -> str:
    return f"batch {batch.batch}"
