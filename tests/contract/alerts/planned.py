"""Scenarios with announced maintenance: as rows for our own evaluator, and as series for Prometheus
that a process's own counters gave."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.contract.alerts.scenarios import EPOCH, MINUTE, Flow

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.alerts import exclusions
from ai_agent_mesh.operations.planned import Maintenance, Proof
from ai_agent_mesh.playbook import Playbook, parse
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.sla import Fault, Service

#: One window: others would only add what is slow to try.
_ONE = b"alerting: {burn: {windows: [{budget: 2%, within: 1h, urgency: critical}]}}\n"
BOOK = parse(_ONE, "planned")
JUDGING_ALL = parse(_ONE + b"measurement: {maintenance_excluded: false}", "judging all")
IN_TIME = BOOK.maintenance.notice
LATE = IN_TIME - timedelta(seconds=1)
SCRAPE = timedelta(seconds=15)

GOOD, BAD = Flow(valid=12), Flow(valid=12, bad=12)
#: Nothing is served, nothing is probed, and nothing is there to be scraped.
AWAY = Flow(valid=0, probe=0)
CORES = (Service.API, Service.GOVERNANCE)


@dataclass(frozen=True)
class Plan:
    """Work announced so long before it begins; its times are minutes of the scenario."""

    since: float
    until: float
    ahead: timedelta = IN_TIME
    services: frozenset[Service] | None = None
    cancelled: int | None = None

    def work(self, name: str, minute: float) -> Maintenance:
        """Return it as it is known at a minute."""
        span = Span(EPOCH + self.since * MINUTE, EPOCH + self.until * MINUTE)
        off = self.cancelled is not None and self.cancelled <= minute
        return Maintenance(
            f"mnt_{name}", "Disks", "", span, self.services,
            Proof(span.since - self.ahead, f"ent_{name}"),
            Proof(EPOCH + (self.cancelled or 0) * MINUTE, f"ent_{name}_off") if off else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """Stretches of minutes in which some services fail, what was announced, and what then fires."""

    name: str
    #: Minutes, how those that are touched fare in them, and which those are.
    stretches: tuple[tuple[int, Flow], ...]
    plans: tuple[Plan, ...]
    fires: frozenset[str]
    touched: tuple[Service, ...] = (Service.API,)
    playbook: Playbook = BOOK

    @property
    def minutes(self) -> int:
        """Return how long it lasts."""
        return sum(minutes for minutes, _ in self.stretches)

    def flows(self) -> Iterator[tuple[int, dict[Service, Flow]]]:
        """Yield what every service does, minute by minute."""
        minute = 0
        for minutes, flow in self.stretches:
            others = AWAY if flow is AWAY else GOOD
            for _ in range(minutes):
                yield minute, {s: flow if s in self.touched else others for s in CORES}
                minute += 1

    def works(self, minute: float) -> list[Maintenance]:
        """Return what is known at a minute."""
        return [plan.work(f"{n}", minute) for n, plan in enumerate(self.plans)]


QUIET: frozenset[str] = frozenset()
RATES = frozenset({"critical/api_error_rate", "warning/api_error_rate"})
PLATFORM = RATES | {"critical/burn/platform-availability"}
ALARM = PLATFORM | {"critical/burn/api-availability"}
GOVERNANCE = PLATFORM | {"critical/burn/governance-availability"}
#: Ten minutes that are good, ten that are not.
DOWN = ((10, GOOD), (10, BAD))


def scenarios() -> Iterator[Scenario]:
    """Yield everything about maintenance that both evaluators must agree on."""
    governance, api = frozenset({Service.GOVERNANCE}), frozenset({Service.API})
    yield Scenario("announced in time", DOWN, (Plan(10, 20),), QUIET)
    yield Scenario("announced a second too late", DOWN, (Plan(10, 20, LATE),), ALARM)
    yield Scenario("nothing is ever excluded", DOWN, (Plan(10, 20),), ALARM, playbook=JUDGING_ALL)
    yield Scenario("cancelled before it began", DOWN, (Plan(10, 20, cancelled=5),), ALARM)
    # Only what was taken back can alarm: since the cancellation all is good.
    yield Scenario("cancelled while it ran", ((10, GOOD), (7, BAD), (3, GOOD)),
                   (Plan(10, 20, cancelled=18),), ALARM)  # fmt: skip
    yield Scenario("cancelled, but covered by another", DOWN,
                   (Plan(10, 20, cancelled=15), Plan(9, 21)), QUIET)  # fmt: skip
    # The one that was called off ends last, and all that failed lies in the other as well.
    failed = ((10, GOOD), (7, BAD), (3, GOOD))
    yield Scenario("cancelled, and what failed is covered by another", failed,
                   (Plan(10, 20, cancelled=18), Plan(9, 17)), QUIET)  # fmt: skip
    yield Scenario("cancelled, and another covers a part of what failed", failed,
                   (Plan(10, 20, cancelled=18), Plan(9, 15)), ALARM)  # fmt: skip
    yield Scenario("one within another is cancelled", ((10, GOOD), (10, AWAY), (5, GOOD)),
                   (Plan(10, 20), Plan(12, 16, cancelled=11)), QUIET)  # fmt: skip
    yield Scenario("one ends and another goes on", DOWN, (Plan(10, 16), Plan(14, 20)), QUIET)
    yield Scenario("it overruns", DOWN, (Plan(10, 15),), ALARM)
    yield Scenario("it starts early", ((10, GOOD), (6, BAD)), (Plan(13, 20),), ALARM)
    yield Scenario("a minute is not wholly inside", ((10, GOOD), (4, BAD)), (Plan(10.5, 20),),
                   ALARM)  # fmt: skip
    yield Scenario("every minute is wholly inside", ((10, GOOD), (4, BAD)), (Plan(10, 20),), QUIET)
    yield Scenario("it names the service", DOWN, (Plan(10, 20, services=api),), QUIET)
    yield Scenario("it names another service", DOWN, (Plan(10, 20, services=governance),), ALARM)
    yield Scenario("it names one of two that fail", DOWN, (Plan(10, 20, services=api),), GOVERNANCE,
                   touched=CORES)  # fmt: skip
    gone = ((10, GOOD), (10, AWAY))
    yield Scenario("the platform is taken away", gone, (Plan(10, 20),), QUIET)
    yield Scenario("the platform is away unannounced", gone, (), ALARM | GOVERNANCE)
    yield Scenario("the platform stays away", ((10, GOOD), (10, AWAY)), (Plan(10, 14),),
                   ALARM | GOVERNANCE)  # fmt: skip
    yield Scenario("the platform was away and is back", ((10, GOOD), (10, AWAY), (10, GOOD)),
                   (Plan(10, 20),), QUIET)  # fmt: skip


class Process:
    """One API process's own counters, read at each scrape."""

    def __init__(self, instance: str, scenario: Scenario) -> None:
        latency = scenario.playbook.latency.items()
        self._metrics = Metrics({name: (each.p50, each.p95, each.p99) for name, each in latency})
        self._metrics.expect((service, flow) for service in CORES for flow in [GOOD.category])
        self._instance = instance
        self._scenario = scenario

    def learn(self, minute: float) -> None:
        """Look at what is announced."""
        works = self._scenario.works(minute)
        self._metrics.exclude(exclusions(works, self._scenario.playbook))

    def call(self, service: Service, at: datetime, *, bad: bool, probe: bool) -> None:
        """Answer one call."""
        fault = Fault.PLATFORM if bad else Fault.NONE
        self._metrics.request(service, GOOD.category, fault, 200, 1_000, at=at, probe=probe)

    def read(self) -> dict[str, float]:
        """Return every series that rules look at, and its value."""
        own = {"instance": self._instance}
        return {
            f"{sample.name}{{{_labels(sample.labels | own)}}}": sample.value
            for family in self._metrics.registry.collect()
            for sample in family.samples
            if sample.name.startswith(("mesh_sli", "mesh_probe", "mesh_maintenance"))
        }


def series(scenario: Scenario) -> list[dict[str, str]]:
    """Return what Prometheus scrapes of two processes, one of which never hears of a cancellation."""  # noqa: E501
    processes = [Process("a", scenario), Process("b", scenario)]
    for process in processes:
        process.learn(0)
    scrapes = [_scrape(processes)]
    for minute, flows in scenario.flows():
        for quarter in range(4):
            at = EPOCH + minute * MINUTE + quarter * SCRAPE + timedelta(seconds=5)
            for service, flow in flows.items():
                for n in range(flow.valid // 4):
                    processes[n % 2].call(service, at, bad=n < flow.bad // 4, probe=False)
                if flow.probe:
                    processes[0].call(service, at, bad=False, probe=True)
            there = any(flow is not AWAY for flow in flows.values())
            processes[0].learn(minute + (quarter + 1) / 4)
            scrapes.append(_scrape(processes) if there else {})
    names = {name for scrape in scrapes for name in scrape}
    return [{"series": name, "values": _values(name, scrapes)} for name in sorted(names)]


def _scrape(processes: list[Process]) -> dict[str, float]:
    found: dict[str, float] = {}
    for process in processes:
        found |= process.read()
    return found


def _values(name: str, scrapes: list[dict[str, float]]) -> str:
    """Return the samples of a series; what is scraped no more is marked stale, as Prometheus does."""  # noqa: E501
    return " ".join(
        f"{scrape[name]:.0f}" if name in scrape else "stale" if name in before else "_"
        for before, scrape in zip([{}, *scrapes], scrapes, strict=False)
    )


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))


def minutes(scenario: Scenario) -> Iterator[tuple[object, ...]]:
    """Yield the rows of `ledger_minute` that the same calls leave."""
    for minute, flows in scenario.flows():
        for service, flow in flows.items():
            calls: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
            calls["ten_a"] = (flow.valid, flow.bad)
            calls["probe"] = (flow.probe, 0)
            for tenant, (valid, bad) in calls.items():
                if valid:
                    good = valid - bad
                    yield (tenant, EPOCH + minute * MINUTE, service.value, GOOD.category.value,
                           valid, valid, bad, valid, good, good, good)  # fmt: skip
