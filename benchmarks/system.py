"""A whole system on fresh data for the time of a measurement."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
import msgspec

from ai_agent_mesh.plumbing.postgres.embedded import find_running

MESH = (sys.executable, "-m", "ai_agent_mesh")


@dataclass(frozen=True)
class System:
    """A running system: where it is, and the key of an enterprise tenant."""

    port: int
    key: str
    login_url: str
    env: dict[str, str]
    #: The processes of `mesh up` by name.
    pids: dict[str, int]

    async def mesh(self, *words: str) -> dict[str, Any]:
        """Run a `mesh` command on this system's data and return what it says as JSON."""
        return await _mesh(self.env, *words, "--json")

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Send one request and return its JSON answer."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            headers = {"Authorization": f"Bearer {self.key}"}
            answer = await client.request(method, path, json=body, headers=headers)
            answer.raise_for_status()
            return dict(answer.json())


@asynccontextmanager
async def system(*words: str) -> AsyncIterator[System]:
    """Run `mesh up` with more words on a free port, and stop it at the end."""
    folder = _folder()
    env = {**os.environ, "MESH_DATA": str(folder / "data"), "MESH_LOG": "error"}
    process = await asyncio.create_subprocess_exec(
        *MESH, "up", "--json", "--port", "0", *words, env=env, stdout=-1, stderr=-3
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        said = msgspec.json.decode(await asyncio.wait_for(process.stdout.readline(), 120))
        made = await _mesh(env, "tenant", "create", "bench", "--tier", "enterprise", "--json")
        urls = find_running(folder / "data" / "postgres")
        assert urls is not None  # noqa: S101 - it has just said that it runs
        port = httpx.URL(said["api"]).port
        assert port is not None  # noqa: S101 - mesh up names it
        pids = {name: pid for name, pid in said["pids"].items() if pid is not None}
        yield System(port, made["issued"]["text"], urls.login, env, pids)
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(mkdtemp(prefix="mesh-bench-"))
    # PostgreSQL may have to run as another user, who must get through to its own folder.
    folder.chmod(0o711)
    return folder


async def _mesh(env: dict[str, str], *words: str) -> dict[str, Any]:  # JSON of any shape
    process = await asyncio.create_subprocess_exec(*MESH, *words, env=env, stdout=-1)
    out, _ = await process.communicate()
    return dict(msgspec.json.decode(out))
