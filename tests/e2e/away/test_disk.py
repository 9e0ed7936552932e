"""The disk that holds everything is full for a while: nothing is acknowledged and not kept."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
import pytest
from tests.e2e.up.conftest import Up, mesh, start, surroundings

from ai_agent_mesh.plumbing.postgres.embedded import find_running

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")

SIZE_MB = 400  # a fresh cluster takes a good hundred
STORED = """
SELECT id || '; sha-256=' || translate(rtrim(encode(digest, 'base64'), '='), '+/', '-_')
FROM ledger_entry
"""


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """Mount a small disk in memory."""
    folder = Path(mkdtemp(prefix="mesh-disk-"))
    options = f"size={SIZE_MB}m,mode=0711"
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["/bin/umount", "-l", folder], check=True)
    folder.rmdir()


@pytest.fixture(scope="module")
def up(disk: Path) -> Iterator[Up]:
    """Run all of it on the small disk; what it complains of goes there too."""
    running = start(disk / "data", "--no-probe")
    yield running
    running.stop()


@pytest.fixture
def full(disk: Path, up: Up) -> Iterator[Path]:  # noqa: ARG001 - it runs before the disk is full
    """Leave not one block free, until the test removes the ballast."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (2**20, 2**12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    yield ballast
    ballast.unlink(missing_ok=True)


def eventually(look: Callable[[], Any], within_s: float = 90) -> Any:  # Any: what it finds
    """Wait until `look` gives something, and return it."""
    give_up = monotonic() + within_s
    while not (found := look()):
        assert monotonic() < give_up, "it never came to hold"
        sleep(0.1)
    return found


class Caller:
    """Registers agents, and remembers which receipts it was given and how it was refused."""

    def __init__(self, up: Up) -> None:
        headers = {"Authorization": f"Bearer {up.line['key']}"}
        self._client = httpx.Client(base_url=up.api, headers=headers, timeout=60, trust_env=False)
        self._count = 0
        self.done: set[str] = set()
        self.refusals: list[httpx.Response] = []

    def refused(self) -> bool:
        """Make one more change; tell whether it was refused."""
        self._count += 1
        agent = {"name": f"a{self._count}", "kind": "http", "url": "http://127.0.0.1:9/"}
        answer = self._client.post("/v1/agents", json=agent)
        if answer.is_success:
            self.done.add(answer.headers["Mesh-Receipt"])
        else:
            assert answer.status_code == 503, answer.text
            self.refusals.append(answer)
        return not answer.is_success

    def refused_without_a_receipt(self) -> bool:
        """Make one more change; tell whether not even its refusal could be kept."""
        return self.refused() and "Mesh-Receipt" not in self.refusals[-1].headers

    @property
    def receipts(self) -> set[str]:
        """Return what was promised to be in the ledger, refusals too."""
        kept = (answer.headers.get("Mesh-Receipt") for answer in self.refusals)
        return self.done | {receipt for receipt in kept if receipt}

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def ready(self) -> dict[str, str]:
        """Return what readiness finds wrong."""
        checks = self._client.get("/readyz").json()["checks"]
        return {one["name"]: one["reason"] for one in checks if not one["ok"]}


@pytest.fixture
def caller(up: Up) -> Iterator[Caller]:
    """Call with the first key."""
    caller = Caller(up)
    yield caller
    caller.close()


def test_a_full_disk_refuses_what_it_cannot_keep_and_all_goes_on_once_there_is_room(
    up: Up, disk: Path, full: Path, caller: Caller
) -> None:
    env = surroundings(MESH_DATA=str(up.folder))
    pids = [up.process.pid, up.line["pids"]["api"], up.line["pids"]["worker-1"]]
    eventually(caller.refused_without_a_receipt)
    for answer in caller.refusals:
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert "full" in caller.ready()["disk"]
    eventually(lambda: "full" in caller.ready().get("sequencer", ""))
    doctor = mesh("doctor", "--json", env=env)
    found = {one["check"]: one for one in json.loads(doctor.stdout)["findings"]}
    assert doctor.returncode == 1
    assert (found["data folder"]["state"], "full" in found["data folder"]["found"]) == (
        "fail",
        True,
    )
    other = mesh("up", "--data", disk / "other", "--port", "0")
    assert (other.returncode, other.stdout) == (1, "")
    (line,) = other.stderr.splitlines()
    assert "No space left" in line
    assert not (disk / "other" / "postgres").exists()

    # Its log is full too, at the latest now: PostgreSQL itself goes down, again and again.
    eventually(lambda: switched(up))
    assert caller.refused()
    assert caller.ready()["database"]

    full.unlink()
    eventually(lambda: not caller.ready())
    eventually(lambda: not caller.refused())
    for pid in pids:
        os.kill(pid, 0)
    urls = find_running(up.folder / "postgres")
    assert urls is not None
    with psycopg.connect(urls.migrate, autocommit=True) as link:

        def missing() -> set[str]:
            return caller.receipts - {row[0] for row in link.execute(STORED)}

        eventually(lambda: not missing())
        agents = link.execute("SELECT count(*) FROM agent").fetchone()
    assert agents == (len(caller.done),)
    verified = mesh("ledger", "verify", "--json", env=env)
    assert json.loads(verified.stdout)["sound"]


def switched(up: Up) -> bool:
    """Make the server begin a new file of its log; tell whether that was the end of it."""
    urls = find_running(up.folder / "postgres")
    try:
        assert urls is not None
        with psycopg.connect(urls.migrate, autocommit=True, connect_timeout=5) as link:
            for _ in range(64):
                link.execute("SELECT pg_switch_wal()")
                link.execute("SELECT pg_logical_emit_message(false, 'x', 'x')")
    except (psycopg.Error, AssertionError):
        return True
    return False
