"""People's corrections in the ledger: held against the calls they name, and added up by hour."""

from datetime import datetime

from ai_agent_mesh.evidence.amendment import Amendment, fault_after
from ai_agent_mesh.evidence.audit import Audit, Check
from ai_agent_mesh.evidence.entry import Entry, EntryUnreadable
from ai_agent_mesh.evidence.rollup import Judged, judged
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger.evidence import Evidence, Row
from ai_agent_mesh.product.ledger.governing import governing


async def check_amendments(operations: Database, audit: Audit) -> None:
    """Hold each correction against the call that it names, and against the one before it."""
    async with operations.transaction() as tx:
        evidence = Evidence(tx)
        read = [(f"seq {row['seq']}", _amendment(row)) for row in await evidence.amendments(0)]
        originals = await evidence.originals([one.entry for _, one in read if one])
        months = {Month.of(one.at) for _, one in read if one}
        judges = {month: await governing(tx, month) for month in months}
    chains: dict[tuple[str, str], list[Amendment]] = {}
    for place, one in read:
        if one is None:
            audit.fail(Check.AMENDMENT, place, "it cannot be read")
            continue
        raw = originals.get((one.entry, one.digest), b"")
        call = judged(raw)
        if call is None:
            audit.fail(Check.AMENDMENT, place, f"there is no entry {one.entry} with its digest")
            continue
        untrue = one.judged_by != judges[Month.of(one.at)]
        wrong = one.differs(Entry.decode(raw)) or ("judged_by" if untrue else "")
        if wrong:
            audit.fail(Check.AMENDMENT, place, f"it repeats {wrong} of {one.entry} wrongly")
        chain = chains.setdefault((one.entry, one.digest), [])
        chain.append(one)
        if fault_after(call.fault, chain) is None:
            audit.fail(Check.AMENDMENT, place, f"{one.entry} was not {one.was} before it")


def _amendment(row: Row) -> Amendment | None:
    try:
        return Amendment.read(Entry.decode(row["bytes"]))
    except EntryUnreadable:
        return None


class Corrections:
    """The corrections that were read so far, by the hour of the call that each is about."""

    def __init__(self) -> None:
        self._seq = 0
        self._by_hour: dict[datetime, list[tuple[str, Judged]]] = {}

    async def of(self, evidence: Evidence, hour: datetime) -> list[tuple[str, Judged]]:
        """Return tenant and correction of each about an hour, as `evidence` sees them."""
        for row in await evidence.amendments(self._seq):
            self._seq = row["seq"]
            found = judged(row["bytes"])
            if found is not None and found.amends is not None:
                at = found.amends[0].replace(minute=0, second=0, microsecond=0)
                self._by_hour.setdefault(at, []).append((row["tenant_id"], found))
        return self._by_hour.get(hour, [])
