"""How calls add up: by minute, service and category, judged at the promised thresholds."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from ai_agent_mesh.evidence.entry import Kind
from ai_agent_mesh.kernel.spans import minute_of
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Fault, Sketch, bad, timed, valid

#: p50, p95 and p99 in microseconds, by category; a category without a promise is absent.
Thresholds = Mapping[str, tuple[int, int, int]]

#: tenant, minute, service, category
MinuteKey = tuple[str, datetime, str, str]

_MICROSECOND = timedelta(microseconds=1)


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The few fields of an entry that the figures rest on; the others are not even decoded."""

    kind: str
    at: datetime
    tenant: str
    service: str = ""
    category: str = ""
    fault: Fault = Fault.NONE
    latency_us: int = 0


@dataclass(slots=True)
class Count:
    """What one minute of one tenant's service and category amounts to."""

    calls: int = 0
    valid: int = 0
    bad: int = 0
    timed: int = 0
    within_p50: int = 0
    within_p95: int = 0
    within_p99: int = 0

    @property
    def figures(self) -> tuple[int, ...]:
        """Return all of them, in the order above."""
        return (
            self.calls, self.valid, self.bad, self.timed,
            self.within_p50, self.within_p95, self.within_p99,
        )  # fmt: skip


@dataclass(slots=True)
class Tally:
    """Minutes and sketch buckets that are being added up."""

    minutes: dict[MinuteKey, Count] = field(default_factory=lambda: defaultdict(Count))
    #: One more level than the minutes: the bucket of the sketch.
    buckets: dict[tuple[MinuteKey, int], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, tenant: str, call: Judged, thresholds: Thresholds) -> None:
        """Add one entry; what is not a call changes nothing.

        A threshold is met strictly under it and by faultless calls alone. A call that failed by
        our fault is timed and never within; one that failed upstream is left out of latency.
        """
        if call.kind != Kind.CALL:
            return
        key = (tenant, minute_of(call.at), call.service, call.category)
        count = self.minutes[key]
        count.calls += 1
        count.valid += valid(call.fault)
        count.bad += bad(call.fault)
        if not timed(call.fault):
            return
        self.buckets[key, Sketch.index_of(call.latency_us)] += 1
        promised = thresholds.get(call.category)
        if promised is None:
            return
        count.timed += 1
        if not bad(call.fault):
            p50, p95, p99 = promised
            count.within_p50 += call.latency_us < p50
            count.within_p95 += call.latency_us < p95
            count.within_p99 += call.latency_us < p99


def thresholds(playbook: Playbook) -> dict[str, tuple[int, int, int]]:
    """Return the playbook's promised latencies in whole microseconds."""
    return {
        str(category): (
            latency.p50 // _MICROSECOND,
            latency.p95 // _MICROSECOND,
            latency.p99 // _MICROSECOND,
        )
        for category, latency in playbook.latency.items()
    }


def judged(canonical: bytes) -> Judged | None:
    """Return what the figures need of an entry's bytes, or None when they are not an entry.

    Bytes that cannot be read are evidence too: they are numbered and signed, and count nowhere.
    """
    try:
        return _JUDGED.decode(canonical)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_JUDGED = msgspec.json.Decoder(Judged)
