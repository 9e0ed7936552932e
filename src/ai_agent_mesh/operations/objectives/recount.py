"""The same evidence drawn from the ledger's entries themselves, byte by byte, past the roll-ups."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ai_agent_mesh.kernel.spans import MINUTE, Span, minute_of
from ai_agent_mesh.operations.objectives.minutes import merged, within, without
from ai_agent_mesh.operations.objectives.model import Calls, Evidence, Marred, Watch
from ai_agent_mesh.operations.objectives.store import PROBE
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger import Entry, Kind
from ai_agent_mesh.sla import Category, Service, bad, timed, valid
from ai_agent_mesh.sla import within as stayed_within

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


@dataclass(slots=True)
class _Count:
    """Calls that are being added up, by minute and service, and by service and category."""

    minutes: dict[tuple[datetime, Service], tuple[int, int]] = field(default_factory=dict)
    categories: dict[tuple[Service, Category], list[int]] = field(default_factory=dict)
    spoken: dict[Service, set[datetime]] = field(
        default_factory=lambda: {service: set() for service in Service}
    )

    def add(self, call: Entry, playbook: Playbook) -> None:
        """Add one call."""
        if call.service is None or call.category is None:
            return
        counts, failed = valid(call.fault), bad(call.fault)
        key = (minute_of(call.at), call.service)
        before = self.minutes.get(key, (0, 0))
        self.minutes[key] = (before[0] + counts, before[1] + failed)
        if call.tenant == PROBE:
            self.spoken[call.service].add(key[0])
        promised = playbook.latency.get(call.category)
        targets = (promised.p50, promised.p95, promised.p99) if promised else ()
        row = self.categories.setdefault((call.service, call.category), [0] * 7)
        figures = [1, counts, failed, bool(targets) and timed(call.fault)]
        figures += [stayed_within(call.fault, call.latency_us, target) for target in targets]
        for at, figure in enumerate(figures):
            row[at] += figure


class Recount:
    """Reads entries under the operations role. Slow, and independent of every roll-up."""

    def __init__(
        self, tx: Tx, playbook: Playbook, progress: Callable[[int], None] | None = None
    ) -> None:
        self._tx = tx
        self._playbook = playbook
        self._progress = progress

    async def evidence(self, span: Span, *, tenant: str) -> Evidence:
        """Return what a span of whole minutes of a tenant is judged by, from the entries alone.

        Raises:
            EntryUnreadable: bytes in the span are not an entry.
        """
        count = _Count()
        async for entry in self._entries(span, tenant):
            if entry.kind is Kind.CALL:
                count.add(entry, self._playbook)
        first = await self._first_probes(span.until)
        return Evidence(
            span=span,
            marred=tuple(
                Marred(minute, service, valid, bad)
                for (minute, service), (valid, bad) in sorted(count.minutes.items())
                if bad
            ),
            watches={
                service: _watch(span, at, count.spoken[service]) for service, at in first.items()
            },
            calls=tuple(
                Calls(service, category, *figures)
                for (service, category), figures in sorted(count.categories.items())
            ),
        )

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

    async def _first_probes(self, until: datetime) -> Mapping[Service, datetime]:
        """Return the first minute before `until` in which the probe tried each service."""
        first: dict[Service, datetime] = {}
        number = 0
        while len(first) < len(Service):
            rows = await self._tx.fetch(_PROBES, PROBE, number, _PAGE)
            if not rows:
                break
            for row in rows:
                entry = Entry.decode(row["bytes"])
                if entry.kind is Kind.CALL and entry.service and entry.at < until:
                    minute = minute_of(entry.at)
                    first[entry.service] = min(first.get(entry.service, minute), minute)
            number = rows[-1]["number"]
        return first


def _watch(span: Span, first: datetime, spoken: set[datetime]) -> Watch:
    watched = Span(max(first, span.since), span.until)
    heard = merged(Span(minute, minute + MINUTE) for minute in spoken)
    return Watch(first, without(within([watched], span), heard))
