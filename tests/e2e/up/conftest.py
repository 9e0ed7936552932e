"""A mesh on this machine, started by its own command as a person would start it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from ai_agent_mesh.plumbing.postgres.embedded import discard

#: What the developer's own surroundings must not lend to a test.
FOREIGN = ("DATABASE_URL", "MESH_", "REDIS_URL", "OTEL_", "PG")

#: So that a Python outside of the virtual environment finds the same packages.
PATHS = os.pathsep.join(path for path in sys.path if path and Path(path).is_dir())


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment without anything that steers the mesh."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    return kept | more


def mesh(*words: str | Path, **popen: Any) -> subprocess.CompletedProcess[str]:  # Any: Popen's own
    """Run a `mesh` command to its end."""
    argv = [sys.executable, "-m", "ai_agent_mesh", *map(str, words)]
    env = popen.pop("env", surroundings())
    return subprocess.run(
        argv, env=env, capture_output=True, text=True, timeout=120, check=False, **popen
    )


@dataclass
class Up:
    """A running `mesh up`, and the line it printed."""

    process: subprocess.Popen[str]
    folder: Path
    errors: Path
    line: dict[str, Any] = field(default_factory=dict)  # Any: parsed JSON

    @property
    def api(self) -> str:
        """Return the address of the API."""
        return str(self.line["api"])

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and return the supervisor's exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        code = self.process.wait(60)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def left(self) -> list[int]:
        """Return the processes of this mesh that are alive, whoever their parent is now."""
        mark = os.fsencode(self.folder)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            except OSError:
                continue
            if alive and mark in said and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found


def start(
    folder: Path, *words: str, wrap: tuple[str, ...] = (), python: Path = Path(sys.executable)
) -> Up:
    """Start `mesh up --json` on a free port and wait for its line; fail with what it complained."""
    errors = folder.parent / f"{folder.name}.stderr"
    argv = [*wrap, str(python), "-m", "ai_agent_mesh", "up", "--json", "--data", str(folder)]
    words = words if "--port" in words else ("--port", "0", *words)
    with errors.open("a") as output:
        process = subprocess.Popen(
            [*argv, *words],
            env=surroundings(PYTHONPATH=PATHS),
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    up = Up(process, folder, errors)
    assert process.stdout
    first = process.stdout.readline()
    if not first:
        up.stop()
        pytest.fail(f"mesh up ended with {process.returncode}: {errors.read_text()}")
    up.line = json.loads(first)
    return up


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can pass through."""
    folder = Path(mkdtemp(prefix="mesh-up-"))
    folder.chmod(0o711)
    yield folder
    for each in folder.glob("*/postgres"):
        discard(each)
    shutil.rmtree(folder)


@pytest.fixture
def starting(parent: Path) -> Iterator[Callable[..., Up]]:
    """Start meshes that are stopped at the end, however the test ends."""
    started: list[Up] = []

    def go(name: str, *words: str, **how: Any) -> Up:  # Any: what `start` takes
        started.append(start(parent / name, *words, **how))
        return started[-1]

    yield go
    for each in started:
        each.stop()
