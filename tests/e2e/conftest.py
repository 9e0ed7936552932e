"""The whole system as its user starts it: `mesh up` as a process, and a client to its door."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import httpx
import msgspec
import pytest
from tests.conftest import needs

MESH = (sys.executable, "-m", "ai_agent_mesh")
#: What may not leak from the tester's shell into the system under test.
OURS = ("MESH_", "DATABASE_URL", "REDIS_URL", "OTEL_", "OPENAI_")


def environment(data: Path, **more: str) -> dict[str, str]:
    """Return a clean environment for one system on its own data."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return {**kept, "MESH_DATA": str(data), "PYTHONUNBUFFERED": "1", **more}


@dataclass(frozen=True)
class Stack:
    """One running system."""

    data: Path
    api: str
    status: str
    docs: str
    tenant: str
    key: str
    env: dict[str, str]

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        """Return a client that sends a key (default: the first tenant's owner's)."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.AsyncClient(base_url=self.api, headers=headers, timeout=30)

    async def run(self, *words: str, status: int = 0) -> str:
        """Run a `mesh` command on this system and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            *MESH, *words, env=self.env, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == status, (words, out.decode(), err.decode())
        return (out if status == 0 else err).decode()

    async def tenant_key(self, name: str, tier: str) -> tuple[str, str]:
        """Make a tenant on a tier; return its id and its owner's key."""
        made = msgspec.json.decode(
            await self.run("tenant", "create", name, "--tier", tier, "--json")
        )
        return made["tenant"]["id"], made["issued"]["text"]


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Start the whole system once a session, on a free port and data of its own."""
    folder = Path(mkdtemp(prefix="mesh-e2e-"))
    folder.chmod(0o755)
    env = environment(folder / "data", MESH_LEASE_S="3")
    process = await asyncio.create_subprocess_exec(
        *MESH, "up", "--json", "--port", "0", env=env, stdout=-1
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 90)
        said = msgspec.json.decode(line)
        yield Stack(
            folder / "data", said["api"], said["status"], said["docs"], said["tenant"],
            said["key"], env,
        )  # fmt: skip
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[str]:
    """Start a Redis of our own on a free port."""
    server = needs("redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        server, "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1",
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
