"""The same evidence drawn from the ledger's entries themselves, byte by byte, past the roll-ups."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from ai_agent_mesh.kernel.errors import Conflict
from ai_agent_mesh.kernel.spans import Span, minute_of
from ai_agent_mesh.operations.objectives.model import Calls, Evidence
from ai_agent_mesh.operations.objectives.rules import silence
from ai_agent_mesh.operations.objectives.store import PROBE
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger import Entry, Kind
from ai_agent_mesh.sla import (
    Category,
    MinuteCount,
    Service,
    bad,
    minute_number,
    timed,
    valid,
    within,
)

_PAGE = 5_000

_BOUNDS = "SELECT min(seq), max(seq) FROM ledger_entry WHERE at >= $1 AND at < $2"
# Each with the playbook that its batch names: the one that its latency was judged by.
_ENTRIES = """
SELECT seq, bytes, playbook FROM ledger_entry JOIN ledger_batch USING (batch)
WHERE seq > $1 AND seq <= $2 AND tenant_id = ANY($3) AND ledger_entry.at >= $4
  AND ledger_entry.at < $5
ORDER BY seq LIMIT $6
"""
_THRESHOLDS = "SELECT digest, latency FROM ledger_playbook"
# In the order in which they were numbered, so that the reading can stop at the first of each kind.
_PROBES = """
SELECT number, bytes FROM ledger_entry WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""


#: p50, p95 and p99 in microseconds, by category; a category without a promise is absent.
Thresholds = Mapping[Category, tuple[int, int, int]]


class ThresholdsLost(Conflict):
    """Entries were judged by playbook {digest}, but the ledger does not keep its thresholds."""


@dataclass(slots=True)
class _Count:
    """Calls that are being added up, by minute and service, and by service and category."""

    minutes: dict[tuple[int, Service], tuple[int, int]] = field(default_factory=dict)
    categories: dict[tuple[Service, Category], list[int]] = field(default_factory=dict)
    spoken: dict[Service, set[int]] = field(
        default_factory=lambda: {service: set() for service in Service}
    )

    def add(self, call: Entry, thresholds: Thresholds) -> None:
        """Add one call, judged by the thresholds of its time."""
        if call.service is None or call.category is None:
            return
        counts, failed = valid(call.fault), bad(call.fault)
        key = (minute_number(call.at), call.service)
        before = self.minutes.get(key, (0, 0))
        self.minutes[key] = (before[0] + counts, before[1] + failed)
        if call.tenant == PROBE:
            self.spoken[call.service].add(key[0])
        promised = thresholds.get(call.category, ())
        row = self.categories.setdefault((call.service, call.category), [0] * 7)
        figures = [1, counts, failed, bool(promised) and timed(call.fault)]
        figures += [within(call.fault, call.latency_us, target) for target in promised]
        for at, figure in enumerate(figures):
            row[at] += figure


class Recount:
    """Reads entries under the operations role. Slow, and independent of every roll-up."""

    def __init__(self, tx: Tx, progress: Callable[[int], None] | None = None) -> None:
        self._tx = tx
        self._progress = progress

    async def evidence(self, span: Span, *, tenant: str) -> Evidence:
        """Return what a span of whole minutes of a tenant is judged by, from the entries alone.

        Raises:
            EntryUnreadable: bytes in the span are not an entry.
            ThresholdsLost: a playbook that entries were judged by is not kept.
        """
        count, kept = _Count(), await self._thresholds()
        async for entry, playbook in self._entries(span, tenant):
            if entry.kind is Kind.CALL:
                if playbook not in kept:
                    raise ThresholdsLost(digest=playbook)
                count.add(entry, kept[playbook])
        first = await self._first_probes(span.until)
        return Evidence(
            span=span,
            minutes=tuple(
                MinuteCount(minute, service, valid, bad)
                for (minute, service), (valid, bad) in sorted(count.minutes.items())
            ),
            watches={
                service: silence(at, span, count.spoken[service]) for service, at in first.items()
            },
            calls=tuple(
                Calls(service, category, *figures)
                for (service, category), figures in sorted(count.categories.items())
            ),
        )

    async def _thresholds(self) -> Mapping[str, Thresholds]:
        """Return the promised latencies by the digest of the playbook that promised them."""
        rows = await self._tx.fetch(_THRESHOLDS)
        kind = dict[Category, tuple[int, int, int]]
        return {row["digest"]: msgspec.convert(row["latency"], kind) for row in rows}

    async def _entries(self, span: Span, tenant: str) -> AsyncIterator[tuple[Entry, str]]:
        bounds = await self._tx.fetchrow(_BOUNDS, span.since, span.until)
        if bounds is None or bounds[0] is None:
            return
        seq, last = bounds[0] - 1, bounds[1]
        who, done = [tenant, PROBE], 0
        while rows := await self._tx.fetch(_ENTRIES, seq, last, who, span.since, span.until, _PAGE):
            for row in rows:
                yield Entry.decode(row["bytes"]), row["playbook"]
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
