"""The metrics of one process, by name and label, and their OpenMetrics text.

Requests are labelled by service, category and fault, never by tenant, path or id: each label value
is a series for ever, and what is known of a tenant stands in the ledger.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

#: Between the promised thresholds the histogram has these, so that a display has a shape.
_SHAPE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """What a process counts; the doors and the jobs call its methods, `/metrics` renders it."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(
        self,
        thresholds: Iterable[timedelta] = (),
        *,
        version: str = "",
        build: Mapping[str, str] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """`thresholds` are the promised latencies: each becomes a bucket's edge, to be exact."""
        self.registry = registry or CollectorRegistry()
        edges = sorted({*_SHAPE_S, *(limit.total_seconds() for limit in thresholds)})
        self._requests = self._counter(
            "mesh_requests", "API calls answered.", "service", "category", "fault", "status"
        )
        self._latency = Histogram(
            "mesh_request_latency_seconds",
            "The platform's own latency of an API call: waiting on agents left out.",
            ("service", "category"),
            buckets=edges,
            registry=self.registry,
        )
        # Each child is looked up under a lock; there are as many as there are series.
        self._answered = cache(self._requests.labels)
        self._took = cache(self._latency.labels)
        #: How many calls are being answered now; the door counts them up and down.
        self.in_flight = 0
        in_flight = self._gauge("mesh_requests_in_flight", "API calls being answered now.")
        in_flight.set_function(lambda: self.in_flight)
        self._limited = self._counter("mesh_rate_limited", "Calls refused by a limit.", "tier")
        self._denied = self._counter(
            "mesh_policy_decisions", "Policy decisions by action and outcome.", "action", "outcome"
        )
        self._deciding = Histogram(
            "mesh_policy_decision_duration_seconds",
            "Time to reach a policy decision, its query included.",
            buckets=edges,
            registry=self.registry,
        )
        self._runs = self._gauge("mesh_runs", "Runs under way, by state.", "state")
        self._inbox = self._gauge("mesh_ledger_inbox_entries", "Entries waiting to be numbered.")
        self._lag = self._gauge(
            "mesh_ledger_sequencer_lag_seconds", "Age of the oldest entry waiting to be numbered."
        )
        self._pool = self._gauge(
            "mesh_database_connections", "Connections by pool; state used or size.", "pool", "state"
        )
        self._spans = self._counter(
            "mesh_spans_exported", "Spans handed to the OTLP exporter, by outcome.", "outcome"
        )
        Info("mesh_build", "What is running.", registry=self.registry).info(
            {"version": version, **(build or {})}
        )

    def request(
        self, service: str, category: str, fault: str, status: int, latency_s: float | None
    ) -> None:
        """Count one answered call; `latency_s` is None where it is not to be judged."""
        self._answered(service, category, fault, str(status)).inc()
        if latency_s is not None:
            self._took(service, category).observe(latency_s)

    def rate_limited(self, tier: str) -> None:
        """Count a call refused because its tenant's allowance was used up."""
        self._limited.labels(tier).inc()

    def policy_decision(self, action: str, *, allowed: bool, duration_us: int) -> None:
        """Count a decision and how long it took."""
        self._denied.labels(action, "allow" if allowed else "deny").inc()
        self._deciding.observe(duration_us / 1e6)

    def runs(self, by_state: Mapping[str, int]) -> None:
        """Say how many runs are under way in each state; a state left out has none."""
        self._runs.clear()
        for state, count in by_state.items():
            self._runs.labels(state).set(count)

    def inbox(self, entries: int, oldest: timedelta) -> None:
        """Say how many ledger entries wait, and how long the oldest has."""
        self._inbox.set(entries)
        self._lag.set(oldest.total_seconds())

    def pool(self, name: str, used: int, size: int) -> None:
        """Say how many connections of a pool are lent out, and how many it may have."""
        self._pool.labels(name, "used").set(used)
        self._pool.labels(name, "size").set(size)

    def spans_exported(self, outcome: str, count: int = 1) -> None:
        """Count spans `sent`, `failed` or `dropped` on their way to an OTLP receiver."""
        self._spans.labels(outcome).inc(count)

    def render(self) -> bytes:
        """Return everything as OpenMetrics text, of the type `content_type`."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call] # not typed there
        return text

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)
