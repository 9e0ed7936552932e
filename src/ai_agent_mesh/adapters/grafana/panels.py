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
            known.get(word) or Panel(f"{word}: not measured", {}, kind="text") for word in words
        )
        for kind, words in kinds.items()
    }


def _known(over: str) -> dict[str, Panel]:
    latency = f"sum by (le, category) (rate(mesh_request_latency_seconds_bucket[{over}]))"
    requests = f"rate(mesh_requests_total[{over}])"
    idle = f'avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[{over}]))'
    return {
        "CPU": Panel(
            "CPU",
            {
                "{{job}} {{instance}}": f"rate(process_cpu_seconds_total[{over}])",
                "machine {{instance}}": f"1 - {idle}",
            },
            "percentunit",
        ),
        "memory": Panel(
            "Memory",
            {
                "{{job}} {{instance}}": "process_resident_memory_bytes",
                "machine {{instance}} {{state}}": "mesh_host_memory_bytes",
            },
            "bytes",
        ),
        "disk": Panel(
            "Disk and database",
            {
                "data folder {{instance}} {{state}}": "mesh_data_disk_bytes",
                "machine {{instance}}": "node_filesystem_avail_bytes",
            },
            "bytes",
        ),
        "network": Panel(
            "Network",
            {
                "in {{instance}}": f"rate(node_network_receive_bytes_total[{over}])",
                "out {{instance}}": f"rate(node_network_transmit_bytes_total[{over}])",
            },
            "Bps",
        ),
        "request rate": Panel(
            "Request rate",
            {"{{service}} {{fault}}": f"sum by (service, fault) ({requests})"},
            "reqps",
        ),
        "latency": Panel(
            "Latency p50, p95, p99",
            {
                f"{{{{category}}}} p{q}": f"histogram_quantile(0.{q}, {latency})"
                for q in (50, 95, 99)
            },
            "s",
        ),
        "errors": Panel(
            "Failed by our fault",
            {
                "{{service}}": (
                    f"sum by (service) (rate(mesh_sli_bad_total[{over}]))"
                    f" / sum by (service) (rate(mesh_sli_valid_total[{over}]))"
                ),
                "ledger behind {{instance}}": "mesh_ledger_sequencer_lag_seconds",
            },
            "percentunit",
        ),
        "agents": Panel("Agents", {"agents": "max(mesh_agents)"}),
        "executions": Panel("Runs by state", {"{{state}}": "max by (state) (mesh_runs)"}),
        "revenue": Panel(
            "Monthly fees by currency", {"{{currency}}": "max by (currency) (mesh_monthly_fees)"}
        ),
    }
