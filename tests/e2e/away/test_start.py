"""Starts that cannot work say why in one line and leave nothing; mended, the next one works."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep

import pytest
from tests.e2e.up.conftest import PATHS, start, surroundings
from tests.e2e.up.test_up import AS_NOBODY, shared_python

from ai_agent_mesh.plumbing.postgres.embedded import discard

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount, or become another")


@pytest.fixture
def parent() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can pass through."""
    folder = Path(mkdtemp(prefix="mesh-start-"))
    folder.chmod(0o711)
    yield folder
    for each in folder.glob("*/postgres"):
        discard(each)
    subprocess.run(["/bin/rm", "-rf", folder], check=True)


def refused(*words: str | Path, wrap: tuple[str, ...] = (), python: str = sys.executable) -> str:
    """Start it in vain; return the one line that it says."""
    argv = [*wrap, python, "-m", "ai_agent_mesh", "up", "--port", "0", *map(str, words)]
    env = surroundings(PYTHONPATH=PATHS)
    ended = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (1, ""), ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


@as_root
def test_a_read_only_disk_is_named_and_left_as_it_is(parent: Path) -> None:
    disk = parent / "disk"
    disk.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o"]
    subprocess.run([*mount, "size=1m,mode=0711", "tmpfs", disk], check=True)
    try:
        (disk / "data").mkdir()
        subprocess.run(["/bin/mount", "-o", "remount,ro", disk], check=True)
        for folder in (disk / "data", disk / "new"):
            assert "Read-only file system" in refused("--data", folder)
        assert list(disk.rglob("*")) == [disk / "data"]
    finally:
        subprocess.run(["/bin/umount", "-l", disk], check=True)


@as_root
def test_a_folder_of_somebody_else_is_named_with_its_owner(parent: Path) -> None:
    folder = parent / "theirs"
    folder.mkdir()
    line = refused("--data", folder, wrap=AS_NOBODY, python=str(shared_python()))
    assert "Permission denied" in line
    assert "belongs to root" in line
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("version", "said"),
    [("9\n", "made by PostgreSQL 9"), ("", "not a valid data directory")],
)
def test_a_cluster_that_these_programs_cannot_run_is_explained(
    parent: Path, version: str, said: str
) -> None:
    cluster = parent / "data" / "postgres" / "data"
    cluster.mkdir(parents=True)
    cluster.chmod(0o700)
    (cluster / "PG_VERSION").write_text(version)
    if os.geteuid() == 0:
        (parent / "data").chmod(0o711)
        subprocess.run(["/bin/chown", "-R", "postgres:", cluster.parent], check=True)
    assert said in refused("--data", parent / "data")


def test_a_first_start_that_was_killed_does_not_spoil_the_second(parent: Path) -> None:
    folder = parent / "data"
    first = subprocess.Popen(
        [sys.executable, "-m", "ai_agent_mesh", "up", "--port", "0", "--data", folder],
        env=surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    half = folder / "postgres" / "data.new" / "PG_VERSION"
    eventually(half.exists)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (folder / "postgres" / "data").exists()
    second = start(folder, "--no-probe", "--workers", "0")
    assert second.line["key"]
    assert second.stop() == 0


def eventually(holds: Callable[[], object], within_s: float = 60) -> None:
    """Wait until it holds."""
    give_up = monotonic() + within_s
    while not holds():
        assert monotonic() < give_up, "it never came to hold"
        sleep(0.01)
