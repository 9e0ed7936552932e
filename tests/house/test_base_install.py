"""What the base install promises: figures from files, proofs and the playbook, without a server."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import duckdb
import pytest
from tests.house.base_install import ROOT, mesh, not_of_the_base

EXAMPLE = ROOT / "examples" / "records" / "calls.csv"
LOGS = ROOT / "tests" / "unit" / "replay" / "logs"
SERVER = {"litestar", "uvicorn", "asyncpg", "psycopg", "dbos", "alembic", "httpx", "a2a"}


def compute(file: Path, *more: str, month: str = "2026-09") -> tuple[str, ...]:
    asked = ("--records", str(file), "--month", month, "--tier", "enterprise")
    return ("sla", "compute", *asked, *more, "--json")


@pytest.mark.parametrize("words", [("playbook", "check"), ("sla", "--help")])
def test_what_reads_files_needs_no_server(words: tuple[str, ...]) -> None:
    done = mesh(words)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_format_is_computed_and_priced_without_a_server(tmp_path: Path) -> None:
    files = [EXAMPLE, tmp_path / "calls.parquet", tmp_path / "calls.ndjson"]
    for file in files[1:]:
        form = {".parquet": "parquet", ".ndjson": "json"}[file.suffix]
        rows = f"read_csv('{EXAMPLE}', types = {{'at': 'VARCHAR'}})"
        duckdb.sql(f"COPY (FROM {rows}) TO '{file}' (FORMAT {form})")
    change = tmp_path / "change.yaml"
    change.write_text("measurement: {denominator: full}\n")
    whatif = ("--month", "2026-09", "--records", str(EXAMPLE), "--tier", "enterprise")
    done = mesh(
        *map(compute, files),
        compute(LOGS / "nginx.log", "--format", "nginx", month="2026-11"),
        compute(LOGS / "envoy.log", "--format", "envoy", month="2026-11"),
        ("sla", "whatif", str(change), *whatif, "--fee", "500 USD", "--json"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    *answers, priced = map(json.loads, done.stdout.splitlines())
    assert [one["minutes"]["unavailable"] for one in answers] == [8, 8, 8, 1, 1]
    assert [one["credit_percent"] for one in answers[:3]] == ["10"] * 3
    assert [one["amount"] for one in priced["credit_before"]] == ["50.00"]


def test_a_command_of_the_server_says_in_one_line_how_to_get_it() -> None:
    done = mesh(("tenant", "list"))
    assert done.returncode == 1
    assert re.fullmatch(r"mesh: .*: pip install 'ai-agent-mesh\[server\]'\n", done.stderr)


def test_the_base_is_what_the_pins_say_and_no_server() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (ROOT / "requirements" / "base.txt").read_text()
    assert all(f"\n{name}==" in f"\n{pinned}" for name in project["dependencies"])
    assert not_of_the_base() >= SERVER


def test_the_wheel_asks_for_no_server_and_brings_what_is_read_at_run_time(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        needs = Parser().parsestr(packed.read(about).decode()).get_all("Requires-Dist", [])
    base = {need for need in needs if "extra ==" not in need}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert base == set(project["dependencies"])
    source = ROOT / "src"
    kept = {str(one.relative_to(source)) for one in source.rglob("*") if one.is_file()}
    assert {one for one in kept if "__pycache__" not in one} == {
        name for name in names if ".dist-info/" not in name
    }
