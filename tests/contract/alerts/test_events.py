"""What happens now and then is told by the rules as long, and from as many on, as was agreed."""

from pathlib import Path

from tests.conftest import needs
from tests.contract.alerts import prometheus as scenario
from tests.contract.alerts.test_rules import run

from ai_agent_mesh.playbook import default

EVENTS = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      # One was started again often enough within the time, one once less, one as often in longer,
      # and the last one's supervisor began anew after many.
      - series: 'mesh_process_restarts{{process="loops"}}'
        values: '0x21 1 2 {n}x8'
      - series: 'mesh_process_restarts{{process="once less"}}'
        values: '0x20 1 {less}x9'
      - series: 'mesh_process_restarts{{process="slowly"}}'
        values: '0x16 1x9 2x2 {n}x2'
      - series: 'mesh_process_restarts{{process="begun anew"}}'
        values: '9x22 0x8'
      - series: 'kube_pod_container_status_restarts_total{{pod="loops"}}'
        values: '5x25 {most}x5'
      - series: 'kube_pod_container_status_waiting_reason{{reason="CrashLoopBackOff", pod="waits"}}'
        values: '_x28 1x2'
      # Told for ten minutes, up to the last but one of which it is not over.
      - series: 'mesh_event_timestamp_seconds{{event="deployment_completed"}}'
        values: '1201x30'
      - series: 'mesh_event_timestamp_seconds{{event="backup_completed"}}'
        values: '1200x30'
      - series: 'kube_horizontalpodautoscaler_status_desired_replicas{{namespace="a"}}'
        values: '3x24 4x5'
      - series: 'kube_horizontalpodautoscaler_status_desired_replicas{{namespace="b"}}'
        values: '3x18 4x11'
    promql_expr_test:
      - expr: count by (alertname, process, pod, namespace) (ALERTS)
        eval_time: 30m
        exp_samples:
          - {{labels: '{{alertname="PodCrashLoop", process="loops"}}', value: 1}}
          - {{labels: '{{alertname="PodCrashLoop", pod="loops"}}', value: 1}}
          - {{labels: '{{alertname="PodCrashLoop", pod="waits"}}', value: 1}}
          - {{labels: '{{alertname="DeploymentCompleted"}}', value: 1}}
          - {{labels: '{{alertname="AutoscalingTriggered", namespace="a"}}', value: 1}}
"""


def test_events_are_told_from_their_level_on_and_for_as_long_as_the_playbook_says(
    tmp_path: Path,
) -> None:
    loop = default().alerting.crash_loop
    assert (loop.restarts, loop.within) == (3, default().alerting.events_shown)
    file, test = tmp_path / "rules.yaml", tmp_path / "test.yaml"
    file.write_text(scenario.rule_file(default(), frozenset()))
    n = loop.restarts
    test.write_text(EVENTS.format(rules=file, n=n, less=n - 1, most=5 + n))
    run(needs("promtool"), "test", "rules", str(test))
