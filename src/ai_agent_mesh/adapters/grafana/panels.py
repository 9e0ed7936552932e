"""Which panel shows what the playbook wants watched, by the playbook's own words.

Windows are the alerts' own, written out, so each query is one that Prometheus runs as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ai_agent_mesh.adapters.prometheus import window_name
from ai_agent_mesh.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its title, what kind, in which unit of Grafana's, and its queries by legend."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: str = "timeseries"


def objectives(playbook: Playbook) -> tuple[Panel, ...]:
    """Return how each objective stands, and what alarms."""
    by_window = {
        f"{{{{sloth_slo}}}} over {window_name(one.within)}": (
            f"slo:sli_error:ratio_rate{window_name(one.within)}"
            " / on(sloth_id) group_left() slo:error_budget:ratio"
        )
        for one in playbook.alerting.burn.windows
    }
    left = "slo:period_error_budget_remaining:ratio"
    return (
        Panel("Error budget left this month", {"{{sloth_slo}}": left}, "percentunit", "bargauge"),
        Panel("Error budget left over time", {"{{sloth_slo}}": left}, "percentunit"),
        Panel("Burn rate now", {"{{sloth_slo}}": "slo:current_burn_rate:ratio"}),
        Panel("Burn rate by window", by_window),
        Panel("Objectives", {"{{sloth_slo}}": "slo:objective:ratio"}, "percentunit", "table"),
        Panel(
            "Alerts", {"{{alertname}} {{severity}}": 'ALERTS{alertstate="firing"}'}, kind="table"
        ),
        Panel(
            "Announced maintenance that is left out",
            {"{{service}} {{maintenance}}": "mesh:maintenance_active:bool"},
        ),
    )


def watched(playbook: Playbook) -> dict[str, tuple[Panel, ...]]:
    """Return the panels of each kind of figure that the playbook names, in its order.

    A word that no panel is known for gets one that says so: what is missing must not look calm.
    """
    metrics, known = playbook.monitoring.metrics, _known(window_name(playbook.alerting.rates_over))
    kinds = {
        "System": metrics.system,
        "Application": metrics.application,
        "Business": metrics.business,
    }
    return {
        kind: tuple(
            panel
            for word in words
            for panel in known.get(word, (Panel(f"{word}: not measured", {}, kind="text"),))
        )
        for kind, words in kinds.items()
    }


def _known(over: str) -> dict[str, tuple[Panel, ...]]:
    return {**_system(over), **_application(over), **_business()}


def _system(over: str) -> dict[str, tuple[Panel, ...]]:
    idle = f'avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[{over}]))'
    used = "node_filesystem_size_bytes - node_filesystem_avail_bytes"
    cpu = {
        "{{job}} {{instance}}": f"rate(process_cpu_seconds_total[{over}])",
        "machine {{instance}}": f"1 - {idle}",
    }
    memory = {
        "{{job}} {{instance}}": "process_resident_memory_bytes",
        "machine {{instance}} {{state}}": "mesh_host_memory_bytes",
    }
    disk = {
        "data folder {{instance}} {{state}}": "mesh_data_disk_bytes",
        "machine {{instance}} {{mountpoint}} used": used,
    }
    network = {
        f"{way} {{{{instance}}}} {{{{device}}}}": f"rate(node_network_{series}_bytes_total[{over}])"
        for way, series in (("in", "receive"), ("out", "transmit"))
    }
    sessions = {"{{state}}": "max by (state) (mesh_postgres_connections)"}
    return {
        "CPU": (Panel("CPU", cpu, "percentunit"),),
        "memory": (Panel("Memory", memory, "bytes"),),
        "disk": (Panel("Disk", disk, "bytes"), Panel("Connections of the database", sessions)),
        "network": (Panel("Network", network, "Bps"),),
    }


def _application(over: str) -> dict[str, tuple[Panel, ...]]:
    buckets = f"sum by (le, category) (rate(mesh_request_latency_seconds_bucket[{over}]))"
    requests = f"sum by (service, fault) (rate(mesh_requests_total[{over}]))"
    bad, valid = (f"sum by (service) (rate(mesh_sli_{n}_total[{over}]))" for n in ("bad", "valid"))
    # Without calls there is no percentile: what is compared, and so no number, is left out.
    latency = {
        f"{{{{category}}}} p{q}": f"histogram_quantile(0.{q}, {buckets}) >= 0" for q in (50, 95, 99)
    }
    behind = {"{{instance}}": "mesh_ledger_sequencer_lag_seconds"}
    return {
        "request rate": (Panel("Request rate", {"{{service}} {{fault}}": requests}, "reqps"),),
        "latency": (Panel("Latency p50, p95, p99", latency, "s"),),
        "errors": (
            Panel("Failed by our fault", {"{{service}}": f"{bad} / ({valid} > 0)"}, "percentunit"),
            Panel("The ledger's numbers are behind", behind, "s"),
        ),
    }


def _business() -> dict[str, tuple[Panel, ...]]:
    fees = {"{{currency}}": "max by (currency) (mesh_monthly_fees)"}
    return {
        "agents": (Panel("Agents", {"agents": "max(mesh_agents)"}),),
        "executions": (Panel("Runs by state", {"{{state}}": "max by (state) (mesh_runs)"}),),
        "revenue": (Panel("Monthly fees by currency", fees),),
    }
