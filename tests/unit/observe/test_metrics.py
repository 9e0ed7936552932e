"""The metrics are what was counted, in text that a Prometheus parser reads."""

from datetime import timedelta

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.observe import Metrics


def read(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    text = metrics.render().decode()
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), float(sample.value)))
    return found


def test_what_was_counted_is_shown_in_open_metrics() -> None:
    metrics = Metrics([timedelta(milliseconds=400)], version="1.2", build={"commit": "abc"})
    metrics.request("api", "agent_crud", "none", 200, 0.3)
    metrics.request("api", "agent_crud", "upstream", 502, None)
    metrics.rate_limited("free")
    metrics.policy_decision("invokeAgent", allowed=False, duration_us=900)
    metrics.inbox(7, timedelta(seconds=1.5))
    metrics.pool("app", 3, 8)
    shown = read(metrics)
    labels = {"service": "api", "category": "agent_crud"}
    requests = shown["mesh_requests_total"]
    assert ({**labels, "fault": "none", "status": "200"}, 1.0) in requests
    assert ({**labels, "fault": "upstream", "status": "502"}, 1.0) in requests
    assert shown["mesh_request_latency_seconds_count"] == [(labels, 1.0)]
    assert shown["mesh_rate_limited_total"] == [({"tier": "free"}, 1.0)]
    assert ({"action": "invokeAgent", "outcome": "deny"}, 1.0) in shown[
        "mesh_policy_decisions_total"
    ]
    assert shown["mesh_ledger_inbox_entries"] == [({}, 7.0)]
    assert shown["mesh_ledger_sequencer_lag_seconds"] == [({}, 1.5)]
    assert ({"pool": "app", "state": "used"}, 3.0) in shown["mesh_database_connections"]
    assert shown["mesh_build_info"] == [({"version": "1.2", "commit": "abc"}, 1.0)]
    assert "openmetrics-text" in metrics.content_type


def test_every_promised_threshold_is_the_edge_of_a_bucket() -> None:
    targets = [t for each in default().latency.values() for t in (each.p50, each.p95, each.p99)]
    metrics = Metrics(targets)
    metrics.request("api", "other", "none", 200, 0.001)
    edges = {float(at["le"]) for at, _ in read(metrics)["mesh_request_latency_seconds_bucket"]}
    assert {t.total_seconds() for t in targets} <= edges


def test_a_state_that_no_run_is_in_any_more_is_gone() -> None:
    metrics = Metrics()
    metrics.runs({"running": 2, "waiting": 1})
    metrics.runs({"running": 1})
    assert read(metrics)["mesh_runs"] == [({"state": "running"}, 1.0)]


def test_calls_in_flight_are_told_as_they_stand() -> None:
    metrics = Metrics()
    metrics.in_flight += 2
    assert read(metrics)["mesh_requests_in_flight"] == [({}, 2.0)]
    metrics.in_flight -= 2
    assert read(metrics)["mesh_requests_in_flight"] == [({}, 0.0)]
