"""The processes of the demo: the system, its workers, the example agents; all end with it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import msgspec

from ai_agent_mesh.kernel.errors import Fact, Unavailable
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.plumbing.postgres.embedded import find_running

MESH = (sys.executable, "-m", "ai_agent_mesh")
EXAMPLES = Path(__file__).parents[4] / "examples"
#: What of the caller's environment would lead the demo to other data than its own.
OURS = ("MESH_", "DATABASE_URL", "REDIS_URL", "OTEL_")
#: A worker is taken for dead after this long; shorter than usual, so that the story stays short.
LEASE_S = 5

_HOLDER = "SELECT pid FROM worker_lease JOIN run ON owner = worker_id WHERE id = $1"

Json = dict[str, Any]  # an answer of the API; its shape is the route's own


class ExamplesMissing(Unavailable):
    """The demo needs the example agents of a clone; there are none at {place}."""


class NotStarted(Unavailable):
    """{what} did not start: {reason}"""


class Refused(Fact):
    """{method} {path} was answered with {status}: {detail}"""


@dataclass
class Stage:
    """A running system on data of its own, and what the story starts and kills beside it."""

    data: Path
    env: dict[str, str]
    api: str = ""
    status: str = ""
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def raised(cls, *, keep: bool) -> AsyncIterator["Stage"]:
        """Start the system without workers; end every process and remove the data at the end."""
        if not EXAMPLES.is_dir():
            raise ExamplesMissing(place=str(EXAMPLES))
        folder = _folder()
        env = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        env |= {"MESH_DATA": str(folder / "data"), "MESH_LEASE_S": str(LEASE_S)}
        stage = cls(folder / "data", env)
        try:
            said = await stage.start("mesh up", *MESH, "up", "--json", "--port", "0", "--workers=0")
            stage.api, stage.status = said["api"], said["status"]
            yield stage
        finally:
            await stage._strike()
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

    async def start(self, what: str, *words: str) -> Json:
        """Start a process that says in one line of JSON that it is ready, and return the line."""
        log = (self.data.parent / f"{what.replace(' ', '-')}.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *words, env=self.env, cwd=EXAMPLES.parent, stdout=-1, stderr=log
        )
        self.processes.append(process)
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 120)
            said: Json = msgspec.json.decode(line)
        except (TimeoutError, msgspec.DecodeError):
            raise NotStarted(what=what, reason=_last_line(Path(log.name))) from None
        return {**said, "process": process}

    async def agent(self, module: str, *words: str) -> str:
        """Start an example agent and return its address."""
        said = await self.start(module, sys.executable, "-m", f"examples.agents.{module}", *words)
        return str(said["url"])

    async def worker(self) -> None:
        """Start a worker."""
        log = (self.data.parent / "workers.log").open("ab")
        process = await asyncio.create_subprocess_exec(*MESH, "worker", env=self.env, stderr=log)
        self.processes.append(process)
        self.workers.append(process)

    async def holder(self, run_id: str) -> int | None:
        """Return the process id of the worker that has a run in hand."""
        urls = find_running(self.data / "postgres")
        if urls is None:
            return None
        database = await Database.open(urls.login, Role.OPERATIONS)
        try:
            async with database.transaction() as tx:
                pid: int | None = await tx.fetchval(_HOLDER, run_id)
                return pid
        finally:
            await database.close()

    async def mesh(self, *words: str) -> str:
        """Run a `mesh` command on this system and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            *MESH, *words, env=self.env, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        if process.returncode:
            raise NotStarted(what=f"mesh {' '.join(words)}", reason=err.decode().strip())
        return out.decode()

    async def _strike(self) -> None:
        """End what was started, the latest first."""
        for process in reversed(self.processes):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), 20)
                except TimeoutError:
                    process.kill()


def _folder() -> Path:
    folder = Path(mkdtemp(prefix="mesh-demo-"))
    # PostgreSQL may have to run as another user, who must get through to its own folder.
    folder.chmod(0o711)
    return folder


def _last_line(log: Path) -> str:
    return (log.read_text().strip().splitlines() or ["it said nothing"])[-1]


class Customer:
    """One tenant and its key, at the public door."""

    def __init__(self, stage: Stage, name: str, tenant_id: str, key: str) -> None:
        self.name = name
        self.tenant_id = tenant_id
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.AsyncClient(base_url=stage.api, headers=headers, timeout=30)

    @classmethod
    async def opened(cls, stage: Stage, name: str, tier: str, fee: str) -> "Customer":
        """Make a tenant on a tier at the operator's console."""
        words = ("tenant", "create", name, "--tier", tier, "--fee", fee, "--json")
        made = msgspec.json.decode(await stage.mesh(*words))
        return cls(stage, name, made["tenant"]["id"], made["issued"]["text"])

    async def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request and return its answer, whatever it is."""
        return await self._client.request(method, path, json=body)

    async def ask(self, method: str, path: str, body: object = None) -> Json:
        """Send a request that must be served, and return its answer.

        Raises:
            Refused: it was answered with a problem.
        """
        answer = await self.send(method, path, body)
        if answer.is_error:
            detail = answer.json().get("detail", answer.text)
            raise Refused(method=method, path=path, status=answer.status_code, detail=detail)
        return dict(answer.json()) if answer.content else {}

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()
