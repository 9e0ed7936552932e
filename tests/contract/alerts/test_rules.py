"""What is rendered is what Prometheus and Alertmanager themselves accept and work by."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.conftest import needs
from tests.contract.alerts import prometheus as scenario
from tests.house.test_documentation import ROOT, anchors

from ai_agent_mesh.adapters import alertmanager, grafana, openslo, prometheus
from ai_agent_mesh.operations.alerts import advice, rules
from ai_agent_mesh.playbook import Playbook, Urgency, default, parse

SLOTH = {
    *(f"slo:sli_error:ratio_rate{w}" for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")),
    "slo:objective:ratio", "slo:error_budget:ratio", "slo:time_period:days",
    "slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio",
    "slo:period_error_budget_remaining:ratio", "sloth_slo_info",
}  # fmt: skip

OTHERS = {
    "default": "",
    "nothing may fail": "kpis: {platform: {uptime: 100%}}",
    "other windows": (
        "alerting: {rates_over: 10m, burn: {short_window: 6, windows: "
        "[{budget: 7%, within: 90m, urgency: info}]}}"
    ),
    "fewer alerts": "alerts: {critical: {rules: {latency_p99: none, pod_crash_loop: none}}}",
    "levels of another kind": "alerts: {warning: {rules: {latency_p99: above 333ms for 90s}}}",
}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered(book: Playbook) -> list[dict[str, object]]:
    document = yaml.safe_load(prometheus.render(book, version="test", source="a test"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("name", OTHERS)
def test_promtool_accepts_the_rules_of_any_playbook(name: str, tmp_path: Path) -> None:
    book = parse(OTHERS[name].encode(), name)
    file = tmp_path / "rules.yaml"
    file.write_text(prometheus.render(book, version="test", source="a test"))
    told = run(needs("promtool"), "check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert f"SUCCESS: {len(rendered(book))} rules found" in told


def test_the_series_have_the_names_that_sloth_made_common() -> None:
    records = {str(rule.get("record")) for rule in rendered(default())}
    assert records >= SLOTH


def test_every_alert_of_the_definition_is_rendered_and_no_other() -> None:
    shown = [rule for rule in rendered(default()) if "alert" in rule]
    assert [rule["alert"] for rule in shown] == [rule.name for rule in rules(default())]
    wanted = {(name, group.tells) for name, group in default().alerts.items()}
    labels = [rule["labels"] for rule in shown]
    assert {(label["severity"], label["tells"]) for label in labels if isinstance(label, dict)} == (
        wanted
    )


def annotations(**more: str) -> list[dict[str, str]]:
    document = yaml.safe_load(prometheus.render(default(), version="test", source="a test", **more))
    return [
        rule["annotations"] for group in document["groups"] for rule in group["rules"]
        if "alert" in rule
    ]  # fmt: skip


def test_every_alert_says_who_is_hurt_where_to_look_and_which_chapter_to_open() -> None:
    for told in annotations():
        page, _, chapter = told["runbook"].partition("#")
        assert chapter in anchors(ROOT / page)
        assert "Look first: " in told["description"]
        assert "runbook_url" not in told
    linked = annotations(runbooks="https://ops.example.com/runbooks")
    assert {told["runbook_url"].partition("#")[0] for told in linked} == {
        "https://ops.example.com/runbooks"
    }


TOLD = """
rule_files: [{rules}]
tests:
  - interval: 1m
    input_series:
      - {{series: 'mesh_data_disk_bytes{{state="used", instance="a:8420"}}', values: '90x9'}}
      - {{series: 'mesh_data_disk_bytes{{state="size", instance="a:8420"}}', values: '100x9'}}
    alert_rule_test:
      - alertname: DiskUsage
        eval_time: 9m
        exp_alerts:
          - exp_labels: {{severity: critical, tells: page, instance: "a:8420"}}
            exp_annotations:
              summary: The share of a disk in use is above 85%.
              description: {description}
              runbook: docs/runbooks.md#disk-usage
"""


def test_a_page_names_the_disk_and_how_full_it_is(tmp_path: Path) -> None:
    file, test = tmp_path / "rules.yaml", tmp_path / "test.yaml"
    file.write_text(prometheus.render(default(), version="test", source="a test"))
    said = advice(next(one for one in rules(default()) if one.name == "DiskUsage"))
    description = f"{said.hurt} Now a:8420: 90%. Look first: {said.look}"
    test.write_text(TOLD.format(rules=file, description=json.dumps(description)))
    run(needs("promtool"), "test", "rules", str(test))


def test_an_outage_of_the_platform_silences_the_pages_of_its_services_alone() -> None:
    document = yaml.safe_load(alertmanager.render(default(), "a test"))
    *_, whole = document["inhibit_rules"]
    assert whole["source_matchers"][1] == 'sloth_slo="platform-availability"'
    _, _, names = whole["target_matchers"][1].partition("=~")
    services = {f"{service}-availability" for service in default().measurement.services}
    assert set(json.loads(names).split("|")) == services
    assert whole["equal"] == ["severity"]


MONTHS = """
evaluation_interval: 3h
group_eval_order: [ai-agent-mesh-sli, ai-agent-mesh-slo, ai-agent-mesh-alerts]
rule_files: [{rules}]
tests:
  - name: a month ends and another begins
    interval: 1m
    input_series:
      # A bad tenth on the first day of January alone, at ten times the traffic of the other days.
      - {{series: 'mesh_sli_valid_total{{service="api"}}', values: '0+1000x1440 1440000+100x46080'}}
      - {{series: 'mesh_sli_bad_total{{service="api"}}', values: '0+100x1440 144000+0x46080'}}
    promql_expr_test:
      - expr: slo:time_period:days
        eval_time: 30d
        exp_samples: [{{labels: 'slo:time_period:days{labels}', value: 31}}]
      - expr: slo:time_period:days
        eval_time: 33d
        exp_samples: [{{labels: 'slo:time_period:days{labels}', value: 28}}]
      # 9 of 248 looks fall into that day: about a quarter of all traffic, a tenth of it bad.
      - expr: 'abs(slo:period_burn_rate:ratio * 0.0001 - 0.025) < bool 0.003'
        eval_time: 741h
        exp_samples: [{{labels: '{labels}', value: 1}}]
      - expr: 'slo:period_error_budget_remaining:ratio + slo:period_burn_rate:ratio'
        eval_time: 741h
        exp_samples: [{{labels: '{labels}', value: 1}}]
      # A mean of ratios would tell a thirtieth of a tenth, whatever the traffic was.
      - expr: 'abs(slo:sli_error:ratio_rate30d - 0.0263) < bool 0.003'
        eval_time: 720h
        exp_samples: [{{labels: '{window}', value: 1}}]
      - expr: 'slo:period_burn_rate:ratio'
        eval_time: 750h
        exp_samples: [{{labels: 'slo:period_burn_rate:ratio{labels}', value: 0}}]
      - expr: 'slo:period_error_budget_remaining:ratio'
        eval_time: 750h
        exp_samples: [{{labels: 'slo:period_error_budget_remaining:ratio{labels}', value: 1}}]
"""


def test_budgets_follow_the_calendar_month_and_the_traffic(tmp_path: Path) -> None:
    book = parse(b"alerting: {evaluated_every: 3h}", "slow")
    file, test = tmp_path / "rules.yaml", tmp_path / "test.yaml"
    file.write_text(scenario.rule_file(book, frozenset({"api-availability"}), months=True))
    own = 'sloth_id="ai-agent-mesh-api-availability", sloth_service="ai-agent-mesh", sloth_slo="api-availability"'  # noqa: E501
    test.write_text(
        MONTHS.format(rules=file, labels=f"{{{own}}}", window=f'{{{own}, sloth_window="30d"}}')
    )
    run(needs("promtool"), "test", "rules", str(test))


def test_alertmanager_accepts_the_routes_and_sends_each_urgency_its_way(tmp_path: Path) -> None:
    amtool, file = needs("amtool"), tmp_path / "alertmanager.yaml"
    file.write_text(alertmanager.render(default(), "a test"))
    run(amtool, "check-config", str(file))
    ways = {
        urgency.value: run(
            amtool, "config", "routes", "test", f"--config.file={file}", f"severity={urgency}",
            "alertname=ApiErrorRate",
        ).strip()
        for urgency in Urgency
    }  # fmt: skip
    assert ways == {"critical": "page", "warning": "slack", "info": "dashboard"}
    unknown = run(amtool, "config", "routes", "test", f"--config.file={file}", "severity=odd")
    assert unknown.strip() == "dashboard"


def test_a_changed_playbook_sends_its_urgencies_another_way(tmp_path: Path) -> None:
    book = parse(b"alerts: {warning: {tells: page}}", "mine")
    file = tmp_path / "alertmanager.yaml"
    file.write_text(alertmanager.render(book, "a test"))
    told = run(
        needs("amtool"), "config", "routes", "test", f"--config.file={file}", "severity=warning"
    )
    assert told.strip() == "page"


def test_no_secret_stands_in_what_alertmanager_reads() -> None:
    document = yaml.safe_load(alertmanager.render(default(), "a test"))
    settings = [
        (key, value)
        for receiver in document["receivers"]
        for kind in ("pagerduty_configs", "slack_configs")
        for one in receiver.get(kind, [])
        for key, value in one.items()
    ]
    assert {key for key, _ in settings if "key" in key or "url" in key} == {
        "routing_key_file", "api_url_file",
    }  # fmt: skip
    assert all(value.startswith("/") for key, value in settings if key.endswith("_file"))


def test_what_the_playbook_wants_watched_has_a_panel_and_what_cannot_be_says_so() -> None:
    panels = json.loads(grafana.render(default(), "a test"))["panels"]
    assert [p["title"] for p in panels if p["type"] == "row"] == [
        "Service levels", "System", "Application", "Business",
    ]  # fmt: skip
    assert [p["title"] for p in panels if p["type"] == "text"] == []
    assert len({p["id"] for p in panels}) == len(panels)
    odd = parse(b"monitoring: {metrics: {business: [agents, happiness]}}", "mine")
    panels = json.loads(grafana.render(odd, "a test"))["panels"]
    assert [p["title"] for p in panels if p["type"] == "text"] == ["happiness: not measured"]


@pytest.mark.parametrize(
    ("method", "budgeting", "slices"),
    [("period", "Timeslices", {"timeSliceTarget": 0.95, "timeSliceWindow": "1m"}),
     ("intervals", "RatioTimeslices", {"timeSliceWindow": "5m"}),
     ("requests", "Occurrences", {})],
)  # fmt: skip
def test_openslo_names_the_method_that_a_tier_is_judged_by(
    method: str, budgeting: str, slices: dict[str, object]
) -> None:
    book = parse(f"tiers: {{enterprise: {{method: {method}}}}}".encode(), "mine")
    slos = [
        one
        for one in yaml.safe_load_all(openslo.render(book, "a test"))
        if one["metadata"]["name"].startswith("enterprise-")
    ]
    assert len(slos) == len(book.measurement.services)
    for slo in slos:
        assert slo["spec"]["budgetingMethod"] == budgeting
        (goal,) = slo["spec"]["objectives"]
        assert goal == {"displayName": "Enterprise", "target": 0.9999, **slices}
