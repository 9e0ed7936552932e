"""Service level indicators of one process: how many requests were valid, bad, timed and in time.

They are counted by the same table of outcomes as the ledger's minutes, in plain numbers: a request
costs a look-up and a few additions. Each series is there from the start, at 0: the first failure
of a series that did not exist would be no increase to Prometheus.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from ai_agent_mesh.sla import OUTCOMES, PERCENTILES, Fault

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


class Indicators(Collector):
    """Counts requests by service and category, and shows them as counters of Prometheus."""

    def __init__(self, latency: Mapping[str, Iterable[timedelta]]) -> None:
        """`latency` has a category's promised p50, p95 and p99; one without a promise is absent."""
        self._latency = {
            category: tuple(limit // _MICROSECOND for limit in limits)
            for category, limits in latency.items()
        }
        self._rows: dict[tuple[str, str], list[int]] = {}

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Show these pairs of service and category from now on."""
        for pair in pairs:
            self._row(pair)

    def add(
        self, pair: tuple[str, str], fault: Fault, latency_us: int, *, probe: bool = False
    ) -> None:
        """Count one call of a service and category."""
        outcome, row = OUTCOMES[fault], self._rows.get(pair) or self._row(pair)
        row[_VALID] += outcome.valid
        row[_BAD] += outcome.bad
        row[_TIMED] += outcome.timed
        row[_PROBE] += probe
        if outcome.timed and not outcome.bad:
            for place, limit in enumerate(self._latency.get(pair[1], ()), _FIGURES):
                row[place] += latency_us < limit

    def _row(self, pair: tuple[str, str]) -> list[int]:
        return self._rows.setdefault(pair, [0] * (_FIGURES + len(PERCENTILES)))

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counters as they stand."""
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
