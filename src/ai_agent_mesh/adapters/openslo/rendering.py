"""Documents of OpenSLO v1: a service, an SLO for each tier and service, and one for each latency.

Source: OpenSLO specification v1, github.com/OpenSLO/OpenSLO, and what its Go SDK asks besides.
Calendar windows begin with a month in UTC. What a tier is judged by names the budgeting method:
minutes are time slices, a mean over intervals is the ratio over slices (which the specification's
examples and SDK know, though not its text), and requests are occurrences.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import yaml

from ai_agent_mesh.adapters.prometheus import window_name
from ai_agent_mesh.operations.alerts import Speed, objectives
from ai_agent_mesh.playbook import MeasuredWindow, Playbook, Tier
from ai_agent_mesh.sla import Method, Service

_API = "openslo/v1"
_PRODUCT = "ai-agent-mesh"
_MINUTE = timedelta(minutes=1)
#: How OpenSLO says each window. Of months any first one says where they begin.
_WINDOWS: dict[MeasuredWindow, dict[str, object]] = {
    MeasuredWindow.CALENDAR_MONTH: {
        "duration": "1M",
        "isRolling": False,
        "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Etc/UTC"},
    },
}
_OCCURRENCES = "Occurrences"
#: A target stays under 1, and a slice's above 0: this far from both is what stands for them.
_LEAST = 1e-9
#: Names to be shown are no longer.
_SHOWN = 63


def render(playbook: Playbook, source: str) -> str:
    """Return every document in one YAML stream.

    `source` says in the file which playbook it is.
    """
    documents = [_service(playbook), *_availability(playbook), *_latency(playbook)]
    head = f"# Written by `mesh playbook render --to openslo`, {source}.\n"
    return head + yaml.safe_dump_all(documents, sort_keys=False, width=100, allow_unicode=True)


def _service(playbook: Playbook) -> dict[str, object]:
    return {
        "apiVersion": _API,
        "kind": "Service",
        "metadata": {"name": _PRODUCT, "displayName": playbook.document.product[:_SHOWN]},
        "spec": {"description": f"Kept by {playbook.document.owner}."},
    }


def _availability(playbook: Playbook) -> Iterator[dict[str, object]]:
    for name, tier in playbook.tiers.items():
        method, slices = _budgeting(tier, playbook)
        for service in playbook.measurement.services:
            goal: dict[str, object] = {"displayName": tier.title, "target": _target(tier.uptime)}
            yield _slo(
                f"{name}-{service}-availability",
                f"{tier.title}: {service} is available",
                _availability_of(service),
                method,
                goal | slices,
                playbook.measurement.window,
            )


def _latency(playbook: Playbook) -> Iterator[dict[str, object]]:
    for one in objectives(playbook):
        if isinstance(one.indicator, Speed):
            speed = one.indicator
            yield _slo(
                one.name,
                f"{speed.category} at {speed.percentile} in less than "
                f"{window_name(speed.threshold)}",
                _speed(speed),
                _OCCURRENCES,
                {"displayName": speed.percentile, "target": _target(one.goal)},
                playbook.measurement.window,
            )


def _slo(
    name: str,
    title: str,
    indicator: dict[str, object],
    method: str,
    goal: dict[str, object],
    window: MeasuredWindow,
) -> dict[str, object]:
    return {
        "apiVersion": _API,
        "kind": "SLO",
        "metadata": {"name": name, "displayName": title[:_SHOWN]},
        "spec": {
            "description": f"{title}, over a {window} in UTC.",
            "service": _PRODUCT,
            "indicator": {"metadata": {"name": f"{name}-sli"}, "spec": indicator},
            "timeWindow": [_WINDOWS[window]],
            "budgetingMethod": method,
            "objectives": [goal],
        },
    }


def _budgeting(tier: Tier, playbook: Playbook) -> tuple[str, dict[str, object]]:
    """Return OpenSLO's method for a tier's, and what it asks of an objective."""
    rule = playbook.measurement
    match tier.method:
        case Method.PERIOD:
            least = float(1 - rule.error_threshold)
            return "Timeslices", {"timeSliceTarget": max(least, _LEAST), "timeSliceWindow": "1m"}
        case Method.ALL_FAIL:
            # Any good request makes a minute good; OpenSLO has no name for "more than nothing".
            return "Timeslices", {"timeSliceTarget": _LEAST, "timeSliceWindow": "1m"}
        case Method.INTERVALS:
            return "RatioTimeslices", {"timeSliceWindow": window_name(rule.interval)}
        case Method.REQUESTS:
            return _OCCURRENCES, {}


def _availability_of(service: Service) -> dict[str, object]:
    which = f'{{service="{service}"}}'
    return _ratio("bad", f"mesh_sli_bad_total{which}", f"mesh_sli_valid_total{which}")


def _speed(speed: Speed) -> dict[str, object]:
    category = f'category="{speed.category}"'
    return _ratio(
        "good",
        f'mesh_sli_within_total{{{category}, percentile="{speed.percentile}"}}',
        f"mesh_sli_timed_total{{{category}}}",
    )


def _ratio(kind: str, some: str, all_of_them: str) -> dict[str, object]:
    return {"ratioMetric": {"counter": True, kind: _metric(some), "total": _metric(all_of_them)}}


def _metric(query: str) -> dict[str, object]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": f"sum({query})"}}}


def _target(share: Fraction) -> float:
    return min(float(share), 1 - _LEAST)
