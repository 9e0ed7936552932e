"""One definition of alerts, two evaluators: both must say the same of the same minutes."""

import subprocess
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import needs
from tests.contract.alerts import prometheus
from tests.contract.alerts.scenarios import (
    EPOCH,
    MINUTE,
    Flow,
    Scenario,
    scenarios,
    told,
)

from ai_agent_mesh.operations.alerts import (
    Readings,
    State,
    holds,
    moved,
    rules,
    windows,
)
from ai_agent_mesh.operations.objectives import Window
from ai_agent_mesh.operations.statements import Calls
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Service, Sketch

#: The objectives that the scenarios are about.
LOOKED_AT = frozenset({"api-availability", "platform-availability", "agent-crud-latency-p99"})
SCENARIOS = {scenario.name: scenario for scenario in scenarios()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_embedded_evaluator_fires_what_must_fire(name: str) -> None:
    assert embedded(SCENARIOS[name]) == SCENARIOS[name].fires


def test_prometheus_fires_what_must_fire(tmp_path: Path) -> None:
    promtool = needs("promtool")
    together: dict[str, list[Scenario]] = defaultdict(list)
    for scenario in SCENARIOS.values():
        together[scenario.playbook.digest].append(scenario)
    files = []
    for digest, some in together.items():
        book, rule_file = some[0].playbook, tmp_path / f"{digest}.rules.yaml"
        rule_file.write_text(prometheus.rule_file(book, LOOKED_AT))
        files.append(tmp_path / f"{digest}.test.yaml")
        groups = [prometheus.test_group(scenario) for scenario in some]
        files[-1].write_text(prometheus.unit_test(str(rule_file), book, groups))
    done = subprocess.run(
        [promtool, "test", "rules", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def embedded(scenario: Scenario) -> set[str]:
    """Walk through the scenario's minutes and return what fires at its end."""
    book = scenario.playbook
    own = [rule for rule in rules(book) if rule.name == scenario.alert]
    states = dict.fromkeys((rule.key for rule in own), State.INACTIVE)
    since: dict[str, datetime] = {}
    every = book.alerting.evaluated_every // MINUTE
    last_two_hours = max(0, scenario.minutes - 120)
    for minute in range(last_two_hours + every, scenario.minutes + 1, every):
        readings = read(scenario, minute, book)
        for rule in own:
            reached = holds(rule, readings, book)
            if not reached:
                since.pop(rule.key, None)
            began = since.setdefault(rule.key, readings.at) if reached else None
            before = states[rule.key]
            before = State.INACTIVE if before is State.RESOLVED else before
            states[rule.key] = moved(before, began, rule, holds=reached, now=readings.at)
    return {
        f"{rule.urgency}/{name}" if (name := told(rule.watches)) else str(rule.urgency)
        for rule in own
        if states[rule.key] is State.FIRING
    }


def read(scenario: Scenario, minute: int, book: Playbook) -> Readings:
    """Return what the embedded evaluator reads after so many minutes."""
    counted = {length: count(scenario, minute, length) for length in windows(book)}
    slow = latencies(scenario, minute, book.alerting.rates_over)
    return Readings(EPOCH + minute * MINUTE, counted, slow, scenario.figures)


def overlaps(scenario: Scenario, until: int, length: timedelta) -> list[tuple[int, Flow]]:
    """Return how many of a window's minutes lie in each stretch."""
    found, begins = [], 0
    for stretch in scenario.stretches:
        ends = begins + stretch.minutes
        shared = min(ends, until) - max(begins, until - length // MINUTE)
        found += [(shared, flow) for flow in stretch.flows if shared > 0]
        begins = ends
    return found


def count(scenario: Scenario, until: int, length: timedelta) -> Window:
    watched = any(flow.probe for _, flow in overlaps(scenario, until, timedelta(days=30)))
    calls, silent = [], 0
    for minutes, flow in overlaps(scenario, until, length):
        silent += minutes if watched and not flow.probe else 0
        calls.append(Calls(flow.service, flow.category, *(minutes * n for n in figures(flow))))
    return Window(calls, {Service.API: silent})


def figures(flow: Flow) -> tuple[int, ...]:
    kept = (flow.valid - flow.slow.get(name, 0) for name in ("p50", "p95", "p99"))
    return (flow.valid, flow.valid, flow.bad, flow.valid, *kept)


def latencies(scenario: Scenario, until: int, length: timedelta) -> Mapping[int, int]:
    """Return a sketch in which so many calls took a tenth longer than each level."""
    buckets: dict[int, int] = defaultdict(int)
    for minutes, flow in overlaps(scenario, until, length):
        slowest_first = sorted(flow.longer.items(), reverse=True)
        told_already = 0
        for seconds, calls in slowest_first:
            buckets[Sketch.index_of(int(seconds * 1_100_000))] += minutes * (calls - told_already)
            told_already = calls
        buckets[Sketch.index_of(10_000)] += minutes * (flow.valid - told_already)
    return buckets


def test_scenarios_stand_on_both_sides_of_every_level() -> None:
    sides = {(one.alert, bool(one.fires)) for one in SCENARIOS.values()}
    names = {alert for alert, _ in sides}
    assert sides == {(name, fires) for name in names for fires in (True, False)}
    wanted = {"ApiErrorRate", "LatencyP99", "DatabaseConnections", "DiskUsage", "MemoryUsage"}
    assert names == wanted | {"CertificateExpiry", "ErrorBudgetBurn"}
