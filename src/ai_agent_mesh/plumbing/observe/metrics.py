"""The metrics of one process, by name and label, and their OpenMetrics text.

Requests are labelled by service, category and fault, never by tenant, path or id: each label value
is a series for ever, and what is known of a tenant stands in the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from ai_agent_mesh.plumbing.observe.indicators import Exclusion, Indicators, Latency
from ai_agent_mesh.sla import Fault, timed

_OPENMETRICS = "application/openmetrics-text;version=1.0.0"
#: Between the promised thresholds the histogram has these, so that a display has a shape.
_SHAPE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """What a process counts; the doors and the jobs call its methods, `/metrics` renders it."""

    def __init__(
        self,
        latency: Mapping[str, Sequence[timedelta]] | None = None,
        *,
        levels: Iterable[timedelta] = (),
        version: str = "",
        build: Mapping[str, str] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        """`latency` has each category's promised p50, p95 and p99, `levels` those of alerts: each
        becomes a bucket's edge, to be exact."""
        self.registry = registry or CollectorRegistry()
        promised = latency or {}
        edges = sorted(
            {*_SHAPE_S, *(each.total_seconds() for each in chain(levels, *promised.values()))}
        )
        self._indicators = Indicators(promised)
        self.registry.register(self._indicators)
        ProcessCollector(registry=self.registry)
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
        self._database_up = self._gauge("mesh_database_up", "Whether the database answers.")
        self._postgres = self._gauge(
            "mesh_postgres_connections",
            "Connections of the database; state used or limit.",
            "state",
        )
        self._disk = self._gauge(
            "mesh_data_disk_bytes", "The disk of the data folder; state used or size.", "state"
        )
        self._memory = self._gauge(
            "mesh_host_memory_bytes",
            "Memory that this process may have; state used or size.",
            "state",
        )
        self._restarts = self._gauge(
            "mesh_process_restarts", "Times that `mesh up` had to start a process again.", "process"
        )
        self._agents = self._gauge("mesh_agents", "Registered agents of all tenants.")
        self._fees = self._gauge(
            "mesh_monthly_fees", "What all tenants pay a month, by currency.", "currency"
        )
        self._events = self._gauge(
            "mesh_event_timestamp_seconds", "When such a thing happened last.", "event"
        )
        self._objectives = self._gauge(
            "mesh_objective_ratio", "The share of good requests that the playbook asks for.", "slo"
        )
        self._spans = self._counter(
            "mesh_spans_exported", "Spans handed to the OTLP exporter, by outcome.", "outcome"
        )
        Info("mesh_build", "What is running.", registry=self.registry).info(
            {"version": version, **(build or {})}
        )

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Show the series of these pairs of service and category before the first call."""
        for pair in dict.fromkeys(pairs):
            self._indicators.expect([pair])
            self._took(*pair)

    def promise(self, latency: Latency, until: datetime, then: Latency) -> None:
        """Count calls as in time by these thresholds until a moment, and then by others: a month
        keeps what was promised when it began."""
        self._indicators.promise(latency, until, then)

    def exclude(self, exclusions: Iterable[Exclusion]) -> None:
        """Say which minutes announced maintenance takes out of availability, called off or not."""
        self._indicators.exclude(exclusions)

    def request(
        self,
        service: str,
        category: str,
        fault: Fault,
        status: int,
        latency_us: int,
        *,
        at: datetime,
        probe: bool = False,
    ) -> None:
        """Count one call, answered `at`; its latency only where such a fault is judged by it."""
        self._answered(service, category, fault, str(status)).inc()
        self._indicators.add((service, category), fault, latency_us, at=at, probe=probe)
        if timed(fault):
            self._took(service, category).observe(latency_us / 1e6)

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

    def business(self, agents: int, fees: Mapping[str, Decimal]) -> None:
        """Say how many agents there are, and what all tenants pay a month by currency."""
        self._agents.set(agents)
        self._fees.clear()
        for currency, fee in fees.items():
            self._fees.labels(currency).set(float(fee))

    def inbox(self, entries: int, oldest: timedelta) -> None:
        """Say how many ledger entries wait, and how long the oldest has."""
        self._inbox.set(entries)
        self._lag.set(oldest.total_seconds())

    def pool(self, name: str, used: int, size: int) -> None:
        """Say how many connections of a pool are lent out, and how many it may have."""
        self._pool.labels(name, "used").set(used)
        self._pool.labels(name, "size").set(size)

    def database(self, *, up: bool) -> None:
        """Say whether the database answered; where not, its figures are those of last time."""
        self._database_up.set(up)

    def host(self, figures: Mapping[str, tuple[int, int]]) -> None:
        """Say how much is used of how much, by the playbook's name of the signal."""
        gauges = {
            "database_connections": (self._postgres, "limit"),
            "disk_usage": (self._disk, "size"),
            "memory_usage": (self._memory, "size"),
        }
        for name, (used, of) in figures.items():
            gauge, whole = gauges[name]
            gauge.labels("used").set(used)
            gauge.labels(whole).set(of)

    def restarts(self, by_process: Mapping[str, int]) -> None:
        """Say how often each process had to be started again since `mesh up` began."""
        for process, count in by_process.items():
            self._restarts.labels(process).set(count)

    def events(self, last: Mapping[str, datetime]) -> None:
        """Say when each kind of event happened last."""
        for event, at in last.items():
            self._events.labels(event).set(at.timestamp())

    def objectives(self, goals: Mapping[str, float]) -> None:
        """Say what share of requests is to be good, by objective."""
        self._objectives.clear()
        for name, goal in goals.items():
            self._objectives.labels(name).set(goal)

    def spans_exported(self, outcome: str, count: int = 1) -> None:
        """Count spans `sent`, `failed` or `dropped` on their way to an OTLP receiver."""
        self._spans.labels(outcome).inc(count)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return everything as text and its type: OpenMetrics, or Prometheus's own format where
        `accept` names that and not OpenMetrics."""
        plain = "text/plain" in accept and "openmetrics" not in accept
        encode, kind = choose_encoder("text/plain" if plain else _OPENMETRICS)
        text: bytes = encode(self.registry)
        return text, kind

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)
