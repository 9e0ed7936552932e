"""`mesh up`: one command starts everything, keeps it running, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from tests.e2e.up.conftest import Up, mesh, start, surroundings

AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--")


def shared_python() -> Path:
    """Return a Python of this version that every user of the machine may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for each in (Path(sys.executable).resolve(), Path("/usr/bin") / version):
        if subprocess.run([*AS_NOBODY, "test", "-x", each], check=False).returncode == 0:
            return Path(sys.executable) if each == Path(sys.executable).resolve() else each
    pytest.skip("every Python of this version lies where an ordinary user may not enter")


def eventually(holds: Callable[[], object], within_s: float = 30) -> None:
    """Wait until it holds."""
    give_up = monotonic() + within_s
    while not holds():
        assert monotonic() < give_up, "it never came to hold"
        sleep(0.1)


def answers(api: str) -> bool:
    """Tell whether the API says that it is ready."""
    try:
        return httpx.get(f"{api}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def up(parent: Path) -> Iterator[Up]:
    running = start(parent / "shared")
    yield running
    running.stop()


def test_one_line_of_json_says_where_everything_is(up: Up) -> None:
    assert set(up.line) >= {"api", "status", "docs", "tenant", "key", "pids"}
    for page in ("api", "status", "docs"):
        path = "/readyz" if page == "api" else ""
        assert httpx.get(up.line[page] + path, follow_redirects=True).is_success, page
    assert up.line["tenant"].startswith("tnt_")


def test_the_first_key_lets_its_owner_in_and_is_kept_nowhere_in_clear(up: Up) -> None:
    key = up.line["key"]
    caller = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{up.api}/v1/agents", headers=caller).status_code == 200
    assert httpx.get(f"{up.api}/v1/agents").status_code == 401
    files = [path for path in up.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key.encode() in path.read_bytes()]


def test_restarts_are_shown_from_none_on_so_that_the_first_one_is_a_rise(up: Up) -> None:
    shown = httpx.get(f"{up.api}/metrics").text
    for name in ("api", "worker-1", "probe"):
        assert f'mesh_process_restarts{{process="{name}"}} 0.0' in shown


@pytest.mark.parametrize("name", ["api", "worker-1", "probe", "postgres"])
def test_what_is_killed_is_started_again(up: Up, name: str) -> None:
    os.kill(up.line["pids"][name], signal.SIGKILL)
    eventually(lambda: name in up.errors.read_text() or "PostgreSQL ended" in up.errors.read_text())
    eventually(lambda: answers(up.api))
    caller = {"Authorization": f"Bearer {up.line['key']}"}
    eventually(lambda: httpx.get(f"{up.api}/v1/agents", headers=caller).status_code == 200)


def test_a_busy_port_is_named_with_its_holder_before_anything_starts(up: Up, parent: Path) -> None:
    port = up.api.rpartition(":")[2]
    ended = mesh("up", "--data", parent / "other", "--port", port)
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert f"Port {port} is taken by" in line
    assert "process" in line
    assert not (parent / "other" / "postgres").exists()


def test_a_folder_in_use_names_the_supervisor(up: Up) -> None:
    ended = mesh("up", "--data", up.folder, "--port", "0")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"in use by process {up.process.pid}" in line


def test_other_commands_find_the_running_database(up: Up) -> None:
    ended = mesh("doctor", "--json", env=surroundings(MESH_DATA=str(up.folder)))
    findings = {each["check"]: each["state"] for each in json.loads(ended.stdout)["findings"]}
    for check in ("database", "roles", "row-level security", "schema", "durability", "clock"):
        assert findings[check] == "pass", check


def test_a_first_start_a_clean_stop_and_a_quick_second_start_with_the_data(
    starting: Callable[..., Up],
) -> None:
    first = starting("again", "--no-probe")
    assert first.stop(signal.SIGTERM) == 0
    assert first.left() == []
    began = monotonic()
    second = starting("again", "--no-probe")
    assert monotonic() - began < 90  # a few seconds on a quiet machine
    assert second.line["tenant"] == first.line["tenant"]
    assert second.line["key"] is None
    assert "mesh key create" in second.line["hint"]
    caller = {"Authorization": f"Bearer {first.line['key']}"}
    assert httpx.get(f"{second.api}/v1/agents", headers=caller).status_code == 200
    assert second.stop(signal.SIGINT) == 0


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_works(
    starting: Callable[..., Up],
) -> None:
    first = starting("killed")
    assert len(first.left()) >= 5
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    port = first.api.rpartition(":")[2]
    second = starting("killed", "--port", port)
    assert not {
        first.line["pids"][name] for name in ("api", "worker-1", "probe", "postgres")
    } & set(second.left())
    assert second.line["tenant"] == first.line["tenant"]


def test_after_a_kill_every_child_is_gone_by_itself(starting: Callable[..., Up]) -> None:
    killed = starting("orphans", "--no-probe")
    killed.stop(signal.SIGKILL)
    eventually(lambda: killed.left() == [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "192.0.2.1"), "Cannot listen on 192.0.2.1"),
        (("--data", "/dev/null/data"), "Not a directory"),
        (("--data", "/proc/data"), "cannot be used"),
    ],
)
def test_what_cannot_work_is_explained_in_one_line(
    parent: Path, words: tuple[str, ...], said: str
) -> None:
    ended = mesh("up", "--data", parent / "never", "--port", "0", *words)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert said in line


def test_a_database_that_does_not_answer_is_explained_in_one_line(parent: Path) -> None:
    env = surroundings(DATABASE_URL="postgresql://nobody@127.0.0.1:1/mesh")
    ended = mesh("up", "--data", parent / "never", "--port", "0", env=env)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "refused" in ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user cannot become another one")
def test_an_ordinary_user_runs_it_too(starting: Callable[..., Up], parent: Path) -> None:
    home = parent / "ordinary"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    running = starting("ordinary", "--no-probe", wrap=AS_NOBODY, python=shared_python())
    assert Path(f"/proc/{running.line['pids']['postgres']}").stat().st_uid == 65534
    assert answers(running.api)
    assert running.stop() == 0
