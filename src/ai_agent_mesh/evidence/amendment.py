"""A person's correction of whose fault a call was: an entry of its own, beside the one it corrects.

The corrected entry is never touched. The amendment repeats of it what figures rest on, so that it
can be added up alone, and names its digest, so that anyone can hold the two together.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ai_agent_mesh.evidence.entry import Entry, EntryUnreadable, Kind
from ai_agent_mesh.sla import Category, Fault, Service


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction says: the call that it is about, what its fault was, and now is."""

    entry: str
    #: SHA-256 of the corrected entry's bytes, in hexadecimal.
    digest: str
    tenant: str
    #: When the corrected call was completed.
    at: datetime
    service: Service
    category: Category
    latency_us: int
    #: The digest of the playbook that the corrected call was judged by.
    judged_by: str
    was: Fault
    fault: Fault
    reason: str

    def recorded(self, entry_id: str, now: datetime, actor: str, playbook: str) -> Entry:
        """Return the ledger entry that makes this correction."""
        return Entry(
            id=entry_id,
            kind=Kind.AMENDMENT,
            tenant=self.tenant,
            at=now,
            service=self.service,
            category=self.category,
            fault=self.fault,
            latency_us=self.latency_us,
            actor=actor,
            object=self.entry,
            playbook=playbook,
            detail={
                "at": self.at.astimezone(UTC).isoformat(),
                "digest": self.digest,
                "judged_by": self.judged_by,
                "was": self.was.value,
                "reason": self.reason,
            },
        )

    @classmethod
    def read(cls, entry: Entry) -> "Amendment":
        """Return what an entry of the kind `amendment` corrects.

        Raises:
            EntryUnreadable: it lacks a fact, or is of another kind.
        """
        if entry.kind is not Kind.AMENDMENT or not entry.service or not entry.category:
            raise EntryUnreadable(reason=f"{entry.id} is no amendment of a call")
        detail = entry.detail
        try:
            return cls(
                entry=entry.object or "",
                digest=detail["digest"],
                tenant=entry.tenant,
                at=moment(detail["at"]),
                service=entry.service,
                category=entry.category,
                latency_us=entry.latency_us,
                judged_by=detail["judged_by"],
                was=Fault(detail["was"]),
                fault=entry.fault,
                reason=detail["reason"],
            )
        except (KeyError, ValueError) as error:
            raise EntryUnreadable(reason=f"{entry.id} amends nothing: {error}") from error

    def differs(self, original: Entry) -> str | None:
        """Return what of the corrected call it repeats wrongly, by name, or None."""
        for name in ("tenant", "at", "service", "category", "latency_us"):
            if getattr(self, name) != getattr(original, name):
                return name
        return None if original.kind is Kind.CALL else "kind"


def moment(text: str) -> datetime:
    """Return the moment that an amendment names; ValueError when it has no zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment without a zone")
    return at.astimezone(UTC)


def fault_after(original: Fault, amendments: Iterable[Amendment]) -> Fault | None:
    """Return the fault after corrections in the order of their numbers; None when one contradicts.

    Each must start from what the one before it, or the call itself, left.
    """
    fault = original
    for one in amendments:
        if one.was is not fault:
            return None
        fault = one.fault
    return fault
