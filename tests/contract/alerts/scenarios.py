"""Minutes of a platform, as both evaluators get them, and which alerts must fire at their end.

A scenario is stretches of equal minutes. To Prometheus they are counters that rise evenly; to the
embedded evaluator they are sums by window. Levels lie close on either side of what the playbook
says, and are computed from it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from ai_agent_mesh.operations.alerts import Burn, Threshold, rules
from ai_agent_mesh.playbook import Playbook, Signal, Urgency, parse
from ai_agent_mesh.sla import PERCENTILES, Category, Service

L = TypeVar("L", Fraction, timedelta)

MINUTE = timedelta(minutes=1)
#: promtool's clock begins here, in a month of 31 days.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
JANUARY = timedelta(days=31)
#: So far, relatively, the levels lie from what they try.
NEAR = Fraction(2, 100)


@dataclass(frozen=True)
class Flow:
    """What one service's one category does in every minute of a stretch."""

    service: Service = Service.API
    category: Category = Category.AGENT_CRUD
    valid: int = 0
    bad: int = 0
    #: By percentile, how many of the valid calls are too slow.
    slow: Mapping[str, int] = field(default_factory=dict)
    #: By seconds, how many calls took longer.
    longer: Mapping[float, int] = field(default_factory=dict)
    probe: int = 4


@dataclass(frozen=True)
class Stretch:
    """So many minutes, all alike."""

    minutes: int
    flows: tuple[Flow, ...]


@dataclass(frozen=True)
class Scenario:
    """What happens, and which alerts of a name then fire: their urgencies or objectives."""

    name: str
    stretches: tuple[Stretch, ...]
    alert: str
    fires: frozenset[str]
    playbook: Playbook
    figures: Mapping[Signal, Fraction | timedelta] = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        """Return how long it lasts."""
        return sum(stretch.minutes for stretch in self.stretches)


BOOK = parse(b"", "default")


def scenarios() -> Iterator[Scenario]:
    """Yield everything that both evaluators must agree on."""
    yield from _error_rates()
    yield from _latencies()
    yield from _figures()
    yield from _burns()
    yield from _silences()
    yield from _few_requests()
    yield from _slow_objectives()


def _levels(signal: Signal, kind: type[L]) -> Iterator[tuple[str, L]]:
    """Yield the urgencies that look at a signal, and the level of each."""
    for rule in rules(BOOK):
        if isinstance(rule.watches, Threshold) and rule.watches.signal is signal:
            level = rule.watches.condition.level
            assert isinstance(level, kind)
            yield rule.urgency, level


def _sides(level: Fraction) -> Iterator[tuple[str, Fraction]]:
    yield "just below", level * (1 - NEAR)
    yield "just above", level * (1 + NEAR)


def _error_rates() -> Iterator[Scenario]:
    levels = dict(_levels(Signal.API_ERROR_RATE, Fraction))
    for urgency, level in levels.items():
        for side, share in _sides(level):
            reached = {name for name, other in levels.items() if share > other}
            flow = Flow(valid=10_000, bad=int(share * 10_000))
            yield _scenario(f"error rate {side} {urgency}", [(12, flow)], "ApiErrorRate", reached)
    short = Flow(valid=10_000, bad=10_000)
    good = Flow(valid=10_000)
    lasting = BOOK.alerting.lasting // MINUTE
    yield _scenario("an outage that has only begun", [(10, good), (lasting, short)],
                    "ApiErrorRate", set())  # fmt: skip
    yield _scenario("an outage", [(10, good), (lasting + 1, short)], "ApiErrorRate",
                    {"critical", "warning"})  # fmt: skip
    yield _scenario("an outage that is over", [(10, short), (7, good)], "ApiErrorRate", set())


def _latencies() -> Iterator[Scenario]:
    levels = dict(_levels(Signal.LATENCY_P99, timedelta))
    left = 1 - PERCENTILES["p99"]
    for urgency, level in levels.items():
        for side, share in _sides(left):
            reached = {name for name, other in levels.items() if share > left and level >= other}
            slow = int(share * 10_000)
            longer = {other.total_seconds(): slow for other in levels.values() if other <= level}
            flow = Flow(valid=10_000, longer=longer)
            yield _scenario(f"p99 {side} {urgency}", [(12, flow)], "LatencyP99", reached)


def _figures() -> Iterator[Scenario]:
    for signal, alert in (
        (Signal.DATABASE_CONNECTIONS, "DatabaseConnections"),
        (Signal.DISK_USAGE, "DiskUsage"),
        (Signal.MEMORY_USAGE, "MemoryUsage"),
    ):
        ((urgency, level),) = _levels(signal, Fraction)
        for side, share in _sides(level):
            yield Scenario(
                f"{signal} {side}",
                (Stretch(4, (Flow(valid=100),)),),
                alert,
                frozenset({urgency} if share > level else set()),
                BOOK,
                {signal: share},
            )
    ((urgency, until),) = _levels(Signal.CERTIFICATE_EXPIRY, timedelta)
    for side, left in (
        ("just below", until - 10 * MINUTE),
        ("just above", until + MINUTE),
    ):
        yield Scenario(
            f"certificate {side}",
            (Stretch(4, (Flow(valid=100),)),),
            "CertificateExpiry",
            frozenset({urgency} if left < until else set()),
            BOOK,
            {Signal.CERTIFICATE_EXPIRY: left},
        )


def _burns() -> Iterator[Scenario]:
    """Each window for itself: the others are out of reach, or quiet because theirs is longer."""
    goal = BOOK.kpis.platform.uptime
    for index, one in enumerate(BOOK.alerting.burn.windows):
        for side, share in _sides((1 - goal) * _factor(one.urgency, one.within)):
            book = _only_window(index)
            bad = int(share * 1_000_000)
            flow = Flow(valid=1_000_000, bad=bad)
            hit = {"api-availability", "platform-availability"} if side == "just above" else set()
            yield Scenario(
                f"burn over {one.within} {side}",
                (Stretch(one.within // MINUTE + 30, (flow,)),),
                "ErrorBudgetBurn",
                frozenset(f"{one.urgency}/{name}" for name in hit),
                book,
            )
    down, up = Flow(valid=1_000, bad=1_000), Flow(valid=1_000)
    yield Scenario(
        "a burn that is over",
        (Stretch(60, (down,)), Stretch(12, (up,))),
        "ErrorBudgetBurn",
        frozenset(),
        _only_window(0),
    )


def _silences() -> Iterator[Scenario]:
    quiet = Flow(valid=4)
    gone = Flow(valid=0, probe=0)
    yield _scenario("a probe that is heard", [(30, quiet)], "ApiErrorRate", set())
    yield _scenario("a platform that is silent", [(10, quiet), (10, gone)], "ApiErrorRate",
                    {"critical", "warning"})  # fmt: skip
    yield _scenario("never a probe", [(20, gone)], "ApiErrorRate", set())


def _few_requests() -> Iterator[Scenario]:
    least = BOOK.alerting.min_requests
    over = BOOK.alerting.rates_over // MINUTE
    for valid, fires in ((least // over - 1, False), (least // over + 1, True)):
        flow = Flow(valid=valid, bad=valid, probe=1)
        urgencies = {"critical", "warning"} if fires else set()
        yield _scenario(f"{valid} requests a minute", [(20, flow)], "ApiErrorRate", urgencies)


def _slow_objectives() -> Iterator[Scenario]:
    """A latency objective burns by the calls that were too slow, whatever became of them."""
    share = (1 - PERCENTILES["p99"]) * _factor("critical", timedelta(hours=1))
    for side, each in _sides(share):
        flow = Flow(valid=10_000, slow={"p99": int(each * 10_000)})
        hit = {"critical/agent-crud-latency-p99"} if side == "just above" else set()
        yield Scenario(
            f"slow calls {side}", (Stretch(70, (flow,)),), "ErrorBudgetBurn", frozenset(hit),
            _only_window(0),
        )  # fmt: skip


def _scenario(
    name: str, stretches: list[tuple[int, Flow]], alert: str, fires: set[str]
) -> Scenario:
    laid = tuple(Stretch(minutes, (flow,)) for minutes, flow in stretches)
    return Scenario(name, laid, alert, frozenset(fires), BOOK)


def _factor(urgency: str, within: timedelta) -> Fraction:
    windows = BOOK.alerting.burn.of(Urgency(urgency))
    return next(one.factor(JANUARY) for one in windows if one.length == within)


def _only_window(index: int) -> Playbook:
    one = BOOK.alerting.burn.windows[index]
    percent, hours = float(one.budget * 100), one.within // timedelta(hours=1)
    # Long windows are looked at less often, or they would take all day.
    every = "1m" if hours <= 1 else "5m" if hours <= 6 else "15m"
    return parse(
        f"alerting: {{evaluated_every: {every}, burn: {{windows: [{{budget: {percent:g}%, "
        f"within: {hours}h, urgency: {one.urgency}}}]}}}}".encode(),
        "one.yaml",
    )


def told(rule_watches: object) -> str | None:
    """Return the objective of a burn."""
    return rule_watches.objective.name if isinstance(rule_watches, Burn) else None
