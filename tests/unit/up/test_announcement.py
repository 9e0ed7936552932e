"""What a newcomer reads once everything stands is complete, and works when it is pasted."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ai_agent_mesh.cli.up.announcement import FirstTenant, Standing, as_line, as_text
from ai_agent_mesh.settings import LOOPBACK

KEY = "mesh_01m83jkmgneay97j2h6n4237tr_secret"


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    monkeypatch.chdir(tmp_path)
    return Standing(
        api="http://127.0.0.1:8420",
        data=tmp_path / ".mesh",
        tenant=FirstTenant(id="tnt_1", name="default", key=KEY),
        pids={},
        allowed=LOOPBACK,
    )


def test_the_first_start_shows_every_address_and_the_key(standing: Standing) -> None:
    text = as_text(standing)
    for told in (standing.status, standing.docs, f"{standing.api}/v1", str(standing.data), KEY):
        assert told in text
    assert "loopback addresses" in text


def test_what_to_try_next_finds_the_command_the_tenant_and_the_data(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    elsewhere = replace(standing, data=standing.data.parent / "other place")
    exported = next(line for line in as_text(elsewhere).splitlines() if "  export " in line)
    assert f"PATH={Path(sys.executable).parent}:$PATH" in exported
    assert "MESH_TENANT=default" in exported
    assert f"MESH_DATA='{elsewhere.data}'" in exported


def test_a_later_start_says_how_to_get_another_key(standing: Standing) -> None:
    later = replace(standing, tenant=replace(standing.tenant, key=None))
    assert KEY not in as_text(later)
    assert "key create --tenant default --user owner@localhost" in as_text(later)
    assert "key create" in json.loads(as_line(later))["hint"]


@pytest.mark.parametrize(
    ("allowed", "said"), [("", "are refused until"), ("10.0.0.0/8", "called: 10.0.0.0/8.")]
)
def test_it_says_where_agents_may_be(standing: Standing, allowed: str, said: str) -> None:
    assert said in as_text(replace(standing, allowed=allowed))
