"""How calls add up: by minute, service and category, judged at the promised thresholds."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from ai_agent_mesh.evidence.amendment import moment
from ai_agent_mesh.evidence.entry import Kind
from ai_agent_mesh.kernel.spans import Month, minute_of
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
    detail: dict[str, str] = {}

    @property
    def amends(self) -> tuple[datetime, Fault] | None:
        """Return the moment of the call that this corrects and what its fault was, or None."""
        if self.kind != Kind.AMENDMENT:
            return None
        try:
            return moment(self.detail["at"]), Fault(self.detail["was"])
        except (KeyError, ValueError):
            return None

    @property
    def month(self) -> Month:
        """Return the month of the call that counts: its own, or the one that it corrects."""
        return Month.of(self.amends[0] if self.amends else self.at)


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

    def add(self, tenant: str, entry: Judged, thresholds: Thresholds) -> None:
        """Add one entry: a call, or the correction of one; what is neither changes nothing.

        `thresholds` are of the playbook that judges the month of the call. A threshold is met
        strictly under it and by faultless calls alone. A call that failed by our fault is timed and
        never within; one that failed upstream is left out of latency. A correction takes the call
        out as it was and puts it back as it is; how many calls there are it does not change.
        """
        if entry.kind == Kind.CALL:
            key = (tenant, minute_of(entry.at), entry.service, entry.category)
            self.minutes[key].calls += 1
            self._judge(key, entry.fault, entry.latency_us, thresholds, 1)
        elif entry.amends is not None:
            at, was = entry.amends
            key = (tenant, minute_of(at), entry.service, entry.category)
            self._judge(key, was, entry.latency_us, thresholds, -1)
            self._judge(key, entry.fault, entry.latency_us, thresholds, 1)

    def _judge(
        self, key: MinuteKey, fault: Fault, latency_us: int, thresholds: Thresholds, times: int
    ) -> None:
        count = self.minutes[key]
        count.valid += times * valid(fault)
        count.bad += times * bad(fault)
        if not timed(fault):
            return
        self.buckets[key, Sketch.index_of(latency_us)] += times
        promised = thresholds.get(key[3])
        if promised is None:
            return
        count.timed += times
        if not bad(fault):
            p50, p95, p99 = promised
            count.within_p50 += times * (latency_us < p50)
            count.within_p95 += times * (latency_us < p95)
            count.within_p99 += times * (latency_us < p99)


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
