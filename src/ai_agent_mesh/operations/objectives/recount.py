"""The same evidence drawn from the ledger's entries themselves, byte by byte, past the roll-ups."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime

from ai_agent_mesh.evidence import Thresholds
from ai_agent_mesh.kernel.spans import Span, minute_of
from ai_agent_mesh.operations.statements import PROBE, Correction, Counts
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger import Entry, Kind
from ai_agent_mesh.sla import Service

_PAGE = 5_000

_BOUNDS = "SELECT min(seq), max(seq) FROM ledger_entry WHERE at >= $1 AND at < $2"
_ENTRIES = """
SELECT seq, bytes FROM ledger_entry
WHERE seq > $1 AND seq <= $2 AND tenant_id = ANY($3) AND at >= $4 AND at < $5
ORDER BY seq LIMIT $6
"""
# In the order in which they were numbered, so that the reading can stop at the first of each kind.
_PROBES = """
SELECT number, bytes FROM ledger_entry WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""


# Few among many, with an index of their own; each names the moment of the call that it corrects.
_AMENDMENTS = """
SELECT number, bytes FROM ledger_entry WHERE kind = 'amendment' AND tenant_id = ANY($1) ORDER BY seq
"""


async def corrections(tx: Tx, span: Span, tenant: str) -> Sequence[Correction]:
    """Return the corrections of a tenant's and the probe's calls of a span, in their order.

    Raises:
        EntryUnreadable: bytes are not an amendment.
    """
    rows = await tx.fetch(_AMENDMENTS, [tenant, PROBE])
    found = (Correction.read(row["number"], Entry.decode(row["bytes"])) for row in rows)
    return [one for one in found if span.holds(one.amendment.at)]


class Recount:
    """Reads entries under the operations role. Slow, and independent of every roll-up."""

    def __init__(self, tx: Tx, progress: Callable[[int], None] | None = None) -> None:
        self._tx = tx
        self._progress = progress

    async def counts(self, span: Span, promised: Thresholds, *, tenant: str) -> Counts:
        """Return the calls of a span of whole minutes of a tenant, from the entries alone.

        `promised` are the thresholds of the playbook that judges the span.

        Raises:
            EntryUnreadable: bytes in the span are not an entry.
        """
        counts = Counts(span)
        async for entry in self._entries(span, tenant):
            counts.add(entry, promised)
        for one in await corrections(self._tx, span, tenant):
            counts.correct(one.amendment, promised)
        return counts

    async def watched(self, until: datetime) -> Mapping[Service, datetime]:
        """Return the first minute before `until` in which the probe tried each service."""
        return {service: at for service, (_, at) in (await self.first_probes(until)).items()}

    async def _entries(self, span: Span, tenant: str) -> AsyncIterator[Entry]:
        bounds = await self._tx.fetchrow(_BOUNDS, span.since, span.until)
        if bounds is None or bounds[0] is None:
            return
        seq, last = bounds[0] - 1, bounds[1]
        who, done = [tenant, PROBE], 0
        while rows := await self._tx.fetch(_ENTRIES, seq, last, who, span.since, span.until, _PAGE):
            for row in rows:
                yield Entry.decode(row["bytes"])
            seq, done = rows[-1]["seq"], done + len(rows)
            if self._progress:
                self._progress(done)

    async def first_probes(self, until: datetime) -> Mapping[Service, tuple[int, datetime]]:
        """Return the number and minute of the probe's first entry for each service."""
        first: dict[Service, tuple[int, datetime]] = {}
        number = 0
        while len(first) < len(Service):
            rows = await self._tx.fetch(_PROBES, PROBE, number, _PAGE)
            if not rows:
                break
            for row in rows:
                entry = Entry.decode(row["bytes"])
                if entry.kind is Kind.CALL and entry.service and entry.at < until:
                    found = (row["number"], minute_of(entry.at))
                    known = first.setdefault(entry.service, found)
                    first[entry.service] = min(known, found, key=lambda one: one[1])
            number = rows[-1]["number"]
        return first
