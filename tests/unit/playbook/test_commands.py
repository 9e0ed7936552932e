"""`mesh playbook`: what it prints where, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ai_agent_mesh.cli.playbook import app
from ai_agent_mesh.playbook import default

RUN = CliRunner()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text("tiers: {free: {uptime: 5}}\nlimits: {bytes: 3}\n")
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("keys: {rotation: 30d}\nscenarios: {zone_failure: none}\n")
    return path


def test_check_accepts_the_default_and_names_its_digest() -> None:
    done = RUN.invoke(app, ["check"])
    assert done.exit_code == 0
    assert default().digest in done.stdout


def test_check_tells_one_line_a_mistake_on_stderr(broken: Path) -> None:
    done = RUN.invoke(app, ["check", str(broken)])
    assert done.exit_code == 1
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{broken}:1:24 tiers.free.uptime: ")
    assert second.startswith(f"{broken}:2:10 limits.bytes: is not a key")


def test_check_answers_json(broken: Path, mine: Path) -> None:
    bad = json.loads(RUN.invoke(app, ["check", str(broken), "--json"]).stdout)
    assert (bad["valid"], len(bad["faults"])) == (False, 2)
    assert json.loads(RUN.invoke(app, ["check", str(mine), "--json"]).stdout)["valid"]


def test_the_environments_playbook_is_the_one_that_is_shown(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_PLAYBOOK", str(mine))
    assert RUN.invoke(app, ["show", "keys.rotation"]).stdout == "30d\n"


def test_show_speaks_text_and_json() -> None:
    shown = RUN.invoke(app, ["show", "tiers.free"]).stdout.splitlines()
    assert "tiers.free.uptime: 99.5%" in shown
    answer = json.loads(RUN.invoke(app, ["show", "tiers.enterprise.credits", "--json"]).stdout)
    assert answer[0] == {"below": "99.99%", "at_least": "99.9%", "credit": "10%"}


def test_show_of_an_unknown_key_names_the_nearest() -> None:
    done = RUN.invoke(app, ["show", "tiers.fre"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "mesh: the playbook has no key 'tiers.fre'; did you mean free?\n"


def test_diff_tells_both_values(mine: Path) -> None:
    lines = RUN.invoke(app, ["diff", "default", str(mine)]).stdout.splitlines()
    assert "~ keys.rotation: 90d → 30d" in lines
    assert "- scenarios.zone_failure.by: automatic" in lines
    back = json.loads(RUN.invoke(app, ["diff", str(mine), "default", "--json"]).stdout)
    assert {
        "kind": "changed", "key": "keys.rotation", "before": "30d", "after": "90d", "waits": False,
    } in back  # fmt: skip
    assert {each["kind"] for each in back} == {"changed", "added"}


def test_diff_tells_what_counts_from_the_next_month_on(tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text("""
tiers: {free: {uptime: 99%, requests_per_minute: 90}, professional: {method: requests}}
latency: {agent_crud: {p50: 90ms}}
measurement: {min_requests: 2, clock_difference: 2s, probe: {run_wait: 9s}}
maintenance: {notice: 48h, how: quietly}
""")
    lines = RUN.invoke(app, ["diff", "default", str(changed)]).stdout.splitlines()
    waiting = {line.split()[1].rstrip(":") for line in lines if line.endswith("next month on")}
    assert waiting == {
        "tiers.free.uptime", "tiers.professional.method", "latency.agent_crud.p50",
        "measurement.min_requests", "maintenance.notice",
    }  # fmt: skip
    assert len(lines) == len(waiting) + 4


def test_diff_of_equals_says_so() -> None:
    assert RUN.invoke(app, ["diff", "default", "default"]).stdout == "No difference.\n"


def test_diff_with_a_broken_file_tells_its_mistakes(broken: Path) -> None:
    done = RUN.invoke(app, ["diff", "default", str(broken)])
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 2)


def test_render_writes_the_document_for_a_month(mine: Path) -> None:
    arguments = ["render", "--to", "markdown", "--month", "2026-02", "--playbook", str(mine)]
    done = RUN.invoke(app, arguments)
    assert done.exit_code == 0
    assert "40m 19.2s" in done.stdout
    assert "An API key lives 30 days" in done.stdout


def test_render_refuses_what_is_not_built_by_name() -> None:
    done = RUN.invoke(app, ["render", "--to", "datadog"])
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "'datadog'" in done.stderr
