"""Service level indicators of one process: how many requests were valid, bad, timed and in time.

They are counted by the same table of outcomes as the ledger's minutes, in plain numbers: a request
costs a look-up and a few additions. Each series is there from the start, at 0: the first failure
of a series that did not exist would be no increase to Prometheus.

Calls in minutes that announced maintenance excludes are counted apart, under its id: whoever reads
the judged series alone is right, and when it is called off they can be taken back.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ai_agent_mesh.sla import OUTCOMES, PERCENTILES, Fault, minute_number, moment_of

_MICROSECOND = timedelta(microseconds=1)
#: Where in a row of counts each figure stands; after them comes one for each percentile.
_VALID, _BAD, _TIMED, _PROBE = range(4)
_FIGURES = 4
_MEANINGS = {
    _VALID: ("mesh_sli_valid", "API calls that count towards availability."),
    _BAD: ("mesh_sli_bad", "Valid API calls that failed by the platform's fault."),
    _TIMED: ("mesh_sli_timed", "API calls that latency is judged by."),
    _PROBE: ("mesh_probe_requests", "API calls of the probe: without one a minute is lost."),
}
_WITHIN = "Timed API calls strictly under the latency that is promised at a percentile; no bad one."
_APART = {
    _VALID: ("mesh_sli_excluded_valid", "API calls that would count, but for a maintenance."),
    _BAD: ("mesh_sli_excluded_bad", "Such calls that failed by the platform's fault."),
}
_SINCE = "When the minutes begin that an announced maintenance excludes."
_UNTIL = "When they end: of one that was called off, when they begin."


#: By category the promised p50, p95 and p99.
Latency: TypeAlias = Mapping[str, Iterable[timedelta]]


class Exclusion(NamedTuple):
    """The minutes of a service that a maintenance takes out; none of them once it is called off.

    Those of one service do not overlap.
    """

    maintenance: str
    service: str
    minutes: range
    stands: bool = True


class Indicators(Collector):
    """Counts requests by service and category, and shows them as counters of Prometheus."""

    def __init__(self, latency: Latency) -> None:
        """`latency` has a category's promised p50, p95 and p99; one without a promise is absent."""
        self._latency = _in_microseconds(latency)
        #: From which moment on others are promised, and which; None while nobody has said.
        self._next: tuple[datetime, Mapping[str, tuple[int, ...]]] | None = None
        self._rows: dict[tuple[str, str], list[int]] = {}
        self._apart: dict[tuple[str, str, str], list[int]] = {}
        self._known: tuple[Exclusion, ...] = ()
        self._standing: dict[str, list[Exclusion]] = {}

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Show these pairs of service and category from now on."""
        for pair in pairs:
            self._row(pair)

    def exclude(self, exclusions: Iterable[Exclusion]) -> None:
        """Count apart from now on what these take out; they replace those of before."""
        self._known = tuple(exclusions)
        self._standing = {}
        for one in self._known:
            if one.stands:
                self._standing.setdefault(one.service, []).append(one)
                for pair in self._rows:
                    if pair[0] == one.service:
                        self._apart.setdefault((*pair, one.maintenance), [0, 0])

    def promise(self, latency: Latency, until: datetime, then: Latency) -> None:
        """Hold calls against these thresholds until a moment, and from it on against others."""
        self._latency = _in_microseconds(latency)
        self._next = until, _in_microseconds(then)

    def _promised(self, at: datetime) -> Mapping[str, tuple[int, ...]]:
        return self._next[1] if self._next and at >= self._next[0] else self._latency

    def add(
        self,
        pair: tuple[str, str],
        fault: Fault,
        latency_us: int,
        *,
        at: datetime,
        probe: bool = False,
    ) -> None:
        """Count one call of a service and category that was completed at a moment."""
        outcome, row = OUTCOMES[fault], self._rows.get(pair) or self._row(pair)
        judged = row
        if pair[0] in self._standing and (under := self._under(pair[0], at)):
            judged = self._apart.setdefault((*pair, under), [0, 0])
        judged[_VALID] += outcome.valid
        judged[_BAD] += outcome.bad
        row[_TIMED] += outcome.timed
        row[_PROBE] += probe
        if outcome.timed and not outcome.bad:
            for place, limit in enumerate(self._promised(at).get(pair[1], ()), _FIGURES):
                row[place] += latency_us < limit

    def _under(self, service: str, at: datetime) -> str | None:
        minute = minute_number(at)
        found = (one.maintenance for one in self._standing[service] if minute in one.minutes)
        return next(found, None)

    def _row(self, pair: tuple[str, str]) -> list[int]:
        return self._rows.setdefault(pair, [0] * (_FIGURES + len(PERCENTILES)))

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as they stand, and the maintenance that is known."""
        for place, (name, meaning) in _MEANINGS.items():
            family = CounterMetricFamily(name, meaning, labels=("service", "category"))
            for pair, row in self._rows.items():
                family.add_metric(pair, row[place])
            yield family
        within = CounterMetricFamily(
            "mesh_sli_within", _WITHIN, labels=("service", "category", "percentile")
        )
        for pair, row in self._rows.items():
            if pair[1] in self._latency:
                for place, percentile in enumerate(PERCENTILES, _FIGURES):
                    within.add_metric((*pair, percentile), row[place])
        yield within
        yield from self._collect_apart()

    def _collect_apart(self) -> Iterator[Metric]:
        for place, (name, meaning) in _APART.items():
            family = CounterMetricFamily(
                name, meaning, labels=("service", "category", "maintenance")
            )
            for key, counts in self._apart.items():
                family.add_metric(key, counts[place])
            yield family
        name, labels = "mesh_maintenance_{}_timestamp_seconds", ("maintenance", "service")
        since = GaugeMetricFamily(name.format("since"), _SINCE, labels=labels)
        until = GaugeMetricFamily(name.format("until"), _UNTIL, labels=labels)
        for one in self._known:
            ends = one.minutes.stop if one.stands else one.minutes.start
            since.add_metric(one[:2], moment_of(one.minutes.start).timestamp())
            until.add_metric(one[:2], moment_of(ends).timestamp())
        yield since
        yield until


def _in_microseconds(latency: Latency) -> Mapping[str, tuple[int, ...]]:
    return {
        category: tuple(limit // _MICROSECOND for limit in limits)
        for category, limits in latency.items()
    }
