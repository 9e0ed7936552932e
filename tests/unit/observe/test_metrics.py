"""The metrics are what was counted, in text that a Prometheus parser reads."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.observe import Exclusion, Metrics
from ai_agent_mesh.sla import Fault, bad, minute_number, timed, valid, within

PROMISED = {name: (each.p50, each.p95, each.p99) for name, each in default().latency.items()}

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def read(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    text = metrics.render()[0].decode()
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), float(sample.value)))
    return found


def test_what_was_counted_is_shown_in_open_metrics() -> None:
    metrics = Metrics(version="1.2", build={"commit": "abc"})
    metrics.request("api", "agent_crud", Fault.NONE, 200, 300_000, at=NOW)
    metrics.request("api", "agent_crud", Fault.UPSTREAM, 502, 1, at=NOW)
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
    assert "openmetrics-text" in metrics.render()[1]


def test_whoever_asks_for_prometheus_own_text_gets_it() -> None:
    text, kind = Metrics(PROMISED).render("text/plain")
    assert kind.startswith("text/plain")
    assert b"# EOF" not in text
    prometheus = (
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    )
    assert "openmetrics-text" in Metrics(PROMISED).render(prometheus)[1]


def test_every_promised_threshold_is_the_edge_of_a_bucket() -> None:
    level = timedelta(seconds=1.25)
    metrics = Metrics(PROMISED, levels=[level])
    metrics.request("api", "other", Fault.NONE, 200, 1_000, at=NOW)
    edges = {float(at["le"]) for at, _ in read(metrics)["mesh_request_latency_seconds_bucket"]}
    wanted = {level, *(limit for limits in PROMISED.values() for limit in limits)}
    assert {limit.total_seconds() for limit in wanted} <= edges


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


def test_indicators_stand_at_zero_before_the_first_call() -> None:
    metrics = Metrics(PROMISED)
    metrics.expect([("api", "agent_crud"), ("api", "other")])
    shown = read(metrics)
    crud, other = ({"service": "api", "category": name} for name in ("agent_crud", "other"))
    for name in ("mesh_sli_valid", "mesh_sli_bad", "mesh_sli_timed", "mesh_probe_requests"):
        assert shown[f"{name}_total"] == [(crud, 0.0), (other, 0.0)]
    # What is promised no latency has no calls that could be within it.
    assert shown["mesh_sli_within_total"] == [
        ({**crud, "percentile": name}, 0.0) for name in ("p50", "p95", "p99")
    ]


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("latency_us", [99_999, 100_000, 499_999, 500_000])
def test_indicators_count_by_the_table_of_outcomes(fault: Fault, latency_us: int) -> None:
    metrics = Metrics(PROMISED)
    metrics.request("api", "agent_crud", fault, 200, latency_us, at=NOW, probe=True)
    shown = {name: sum(value for _, value in samples) for name, samples in read(metrics).items()}
    assert shown["mesh_sli_valid_total"] == valid(fault)
    assert shown["mesh_sli_bad_total"] == bad(fault)
    assert shown["mesh_sli_timed_total"] == timed(fault)
    assert shown["mesh_probe_requests_total"] == 1
    thresholds = (limit.microseconds for limit in PROMISED["agent_crud"])
    assert shown["mesh_sli_within_total"] == sum(within(fault, latency_us, t) for t in thresholds)
    assert shown.get("mesh_request_latency_seconds_count", 0) == timed(fault)


def test_what_is_known_of_the_machine_is_shown_and_what_is_not_is_left_out() -> None:
    metrics = Metrics()
    metrics.host({"disk_usage": (30, 100), "database_connections": (5, 97)})
    metrics.restarts({"worker-1": 2})
    metrics.events({"backup_completed": datetime(2026, 11, 1, tzinfo=UTC)})
    metrics.objectives({"api-availability": 0.9999})
    shown = read(metrics)
    assert shown["mesh_data_disk_bytes"] == [({"state": "used"}, 30.0), ({"state": "size"}, 100.0)]
    assert shown["mesh_postgres_connections"][1] == ({"state": "limit"}, 97.0)
    assert "mesh_host_memory_bytes" not in shown
    assert shown["mesh_process_restarts"] == [({"process": "worker-1"}, 2.0)]
    assert shown["mesh_event_timestamp_seconds"] == [({"event": "backup_completed"}, 1793491200.0)]
    assert shown["mesh_objective_ratio"] == [({"slo": "api-availability"}, 0.9999)]
    assert shown["process_resident_memory_bytes"][0][1] > 1e6


NOON = minute_number(datetime(2026, 11, 1, 12, tzinfo=UTC))


def moment(minute: float) -> datetime:
    """Return a moment so many minutes after noon."""
    return datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)


def work(since: int, until: int, name: str = "mnt_a", *, stands: bool = True) -> Exclusion:
    return Exclusion(name, "api", range(NOON + since, NOON + until), stands)


def calls(metrics: Metrics) -> dict[str, float]:
    """Return the valid and bad calls that are judged, and those of each maintenance."""
    shown = read(metrics)
    judged = {kind: sum(n for _, n in shown[f"mesh_sli_{kind}_total"]) for kind in ("valid", "bad")}
    apart = {
        f"{labels['maintenance']} {kind}": value
        for kind in ("valid", "bad")
        for labels, value in shown.get(f"mesh_sli_excluded_{kind}_total", [])
    }
    return judged | apart


def test_calls_in_maintenance_are_counted_under_it_and_not_among_the_judged() -> None:
    metrics = Metrics(PROMISED)
    metrics.expect([("api", "agent_crud"), ("telemetry", "other")])
    metrics.exclude([work(1, 3)])
    assert calls(metrics) == {"valid": 0, "bad": 0, "mnt_a valid": 0, "mnt_a bad": 0}
    for minute in (0.99, 1, 2.99, 3):
        metrics.request("api", "agent_crud", Fault.PLATFORM, 503, 1, at=moment(minute))
    metrics.request("telemetry", "other", Fault.PLATFORM, 503, 1, at=moment(2))
    assert calls(metrics) == {"valid": 3, "bad": 3, "mnt_a valid": 2, "mnt_a bad": 2}
    # Speed, the probe's voice and what is plainly counted know no maintenance.
    shown = read(metrics)
    assert sum(value for _, value in shown["mesh_requests_total"]) == 5


def test_a_call_goes_to_the_maintenance_of_its_minute_and_to_none_that_was_called_off() -> None:
    metrics = Metrics(PROMISED)
    metrics.exclude([work(0, 3), work(3, 9, "mnt_b"), work(9, 99, "mnt_c", stands=False)])
    for minute in (2, 4, 6, 10):
        metrics.request("api", "other", Fault.NONE, 200, 1, at=moment(minute))
    found = {name: n for name, n in calls(metrics).items() if n}
    assert found == {"valid": 1, "mnt_a valid": 1, "mnt_b valid": 2}


def test_maintenance_is_told_with_its_edges_and_one_that_was_called_off_ends_as_it_begins() -> None:
    metrics = Metrics()
    metrics.exclude([work(0, 5), work(3, 9, "mnt_b", stands=False)])
    shown = read(metrics)
    edges = {
        labels["maintenance"]: (since - NOON * 60, until - NOON * 60)
        for (labels, since), (_, until) in zip(
            shown["mesh_maintenance_since_timestamp_seconds"],
            shown["mesh_maintenance_until_timestamp_seconds"],
            strict=True,
        )
    }
    assert edges == {"mnt_a": (0, 300), "mnt_b": (180, 180)}
    metrics.exclude([])
    assert "mesh_maintenance_since_timestamp_seconds" not in read(metrics)


def test_calls_are_in_time_by_what_is_promised_of_the_month_that_they_are_completed_in() -> None:
    metrics = Metrics({"agent_crud": (timedelta(seconds=9),) * 3})
    strict, lax = (timedelta(milliseconds=10),) * 3, (timedelta(milliseconds=90),) * 3
    metrics.promise({"agent_crud": strict}, NOW, {"agent_crud": lax})
    for moment in (NOW - timedelta(microseconds=1), NOW):
        metrics.request("api", "agent_crud", Fault.NONE, 200, 50_000, at=moment)
    shown = {labels["percentile"]: n for labels, n in read(metrics)["mesh_sli_within_total"]}
    assert shown == {"p50": 1.0, "p95": 1.0, "p99": 1.0}
    assert read(metrics)["mesh_sli_timed_total"][0][1] == 2.0


def test_an_objective_that_is_no_more_is_not_shown() -> None:
    metrics = Metrics()
    metrics.objectives({"api": 0.9})
    metrics.objectives({"governance": 0.99})
    assert read(metrics)["mesh_objective_ratio"] == [({"slo": "governance"}, 0.99)]
