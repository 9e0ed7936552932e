"""Scenarios as promtool has them: counters that rise evenly, and the alerts that must fire."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Any

import yaml
from tests.contract.alerts.scenarios import MINUTE, Flow, Scenario

from ai_agent_mesh.adapters import prometheus
from ai_agent_mesh.playbook import Playbook, Signal

#: How the figures that no call tells are exposed.
SERIES = {
    Signal.DATABASE_CONNECTIONS: ("mesh_postgres_connections", "limit"),
    Signal.DISK_USAGE: ("mesh_data_disk_bytes", "size"),
    Signal.MEMORY_USAGE: ("mesh_host_memory_bytes", "size"),
}
_SCRAPES = 4
_WHOLE = 1_000_000


def rule_file(playbook: Playbook, only: frozenset[str], *, months: bool = False) -> str:
    """Return the rules as they are shipped, of some objectives, so that a test does not take all
    day; without the sums since the month began, which no alert looks at, unless asked for."""
    document = yaml.safe_load(prometheus.render(playbook, version="test", source="a test"))
    for group in document["groups"]:
        group["rules"] = [rule for rule in group["rules"] if _concerns(rule, only, months=months)]
    return yaml.safe_dump(document)


def _concerns(rule: dict[str, Any], only: frozenset[str], *, months: bool) -> bool:
    name = str(rule.get("record", ""))
    about_months = "month" in name or "period" in name
    return rule.get("labels", {}).get("sloth_slo") in {None, *only} and (months or not about_months)


def test_group(scenario: Scenario) -> dict[str, object]:
    """Return one scenario as a group of promtool's."""
    every = scenario.playbook.alerting.evaluated_every
    coarse = every > MINUTE
    return {
        "name": scenario.name,
        # Long scenarios are scraped once a minute: what rises evenly is the same either way.
        "interval": "1m" if coarse else "15s",
        "input_series": list(_series(scenario, 1 if coarse else _SCRAPES)),
        "promql_expr_test": [
            {
                "expr": _who(scenario.alert),
                "eval_time": f"{scenario.minutes}m",
                "exp_samples": [
                    {"labels": _labels(name), "value": 1} for name in sorted(scenario.fires)
                ],
            }
        ],
    }


test_group.__test__ = False  # type: ignore[attr-defined] # pytest takes the name for a test's


def _who(alert: str) -> str:
    by = "severity, sloth_slo" if alert == "ErrorBudgetBurn" else "severity"
    return f'max by ({by}) (ALERTS{{alertname="{alert}", alertstate="firing"}})'


def _labels(fires: str) -> str:
    severity, _, objective = fires.partition("/")
    more = f', sloth_slo="{objective}"' if objective else ""
    return f'{{severity="{severity}"{more}}}'


def _series(scenario: Scenario, scrapes: int) -> Iterator[dict[str, str]]:
    for name, rates in _rates(scenario).items():
        yield {"series": name, "values": _rising(rates, scrapes)}
    for signal, figure in scenario.figures.items():
        samples = scenario.minutes * scrapes + 1
        if isinstance(figure, timedelta):
            expires = figure + scenario.minutes * MINUTE
            yield _constant(
                'probe_ssl_earliest_cert_expiry{instance="a"}', expires.total_seconds(), samples
            )
        else:
            series, whole = SERIES[signal]
            yield _constant(f'{series}{{state="{whole}"}}', _WHOLE, samples)
            yield _constant(f'{series}{{state="used"}}', float(figure * _WHOLE), samples)


def _constant(series: str, value: float, samples: int) -> dict[str, str]:
    return {"series": series, "values": f"{value}+0x{samples}"}


def _rates(scenario: Scenario) -> dict[str, list[tuple[int, int]]]:
    """Return by series how many minutes it rises by how much each."""
    rates: dict[str, list[tuple[int, int]]] = {}
    for stretch in scenario.stretches:
        for flow in stretch.flows:
            for name, rate in _of(flow).items():
                rates.setdefault(name, []).append((stretch.minutes, rate))
    return rates


def _of(flow: Flow) -> dict[str, int]:
    pair = f'service="{flow.service}", category="{flow.category}"'
    within = {
        f'mesh_sli_within_total{{{pair}, percentile="{name}"}}': flow.valid - flow.slow.get(name, 0)
        for name in ("p50", "p95", "p99")
    }
    buckets = {
        f'mesh_request_latency_seconds_bucket{{{pair}, le="{edge}"}}': flow.valid - beyond
        for edge, beyond in ({1.0: 0, 2.0: 0} | dict(flow.longer)).items()
    }
    return {
        f"mesh_sli_valid_total{{{pair}}}": flow.valid,
        f"mesh_sli_bad_total{{{pair}}}": flow.bad,
        f"mesh_sli_timed_total{{{pair}}}": flow.valid,
        f"mesh_probe_requests_total{{{pair}}}": flow.probe,
        f"mesh_request_latency_seconds_count{{{pair}}}": flow.valid,
        **within,
        **buckets,
    }


def _rising(rates: list[tuple[int, int]], scrapes: int) -> str:
    """Return samples from 0 that rise evenly by each rate a minute."""
    parts, reached = ["0"], Fraction(0)
    for minutes, rate in rates:
        step = Fraction(rate, scrapes)
        parts.append(f"{float(reached + step):g}+{float(step):g}x{minutes * scrapes - 1}")
        reached += rate * minutes
    return " ".join(parts)


def unit_test(rules: str, playbook: Playbook, groups: list[dict[str, object]]) -> str:
    """Return a file for `promtool test rules`."""
    every = prometheus.window_name(playbook.alerting.evaluated_every)
    document = {
        "rule_files": [rules],
        "evaluation_interval": every,
        # What was recorded a look ago may be stale: alerts come after what they look at.
        "group_eval_order": [f"ai-agent-mesh-{name}" for name in ("sli", "slo", "alerts")],
        "tests": groups,
    }
    return yaml.safe_dump(document)
