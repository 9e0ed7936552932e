"""A PostgreSQL of a test's own, to be killed, stopped and crowded, and the mesh over it."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from tests.e2e.crew import Crew, Member

from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer, Urls, discard
from ai_agent_mesh.plumbing.processes import signal_all, working_in


@dataclass
class House:
    """A mesh of API and worker over a server of its own."""

    server: EmbeddedServer
    urls: Urls
    crew: Crew
    worker: Member
    address: str
    key: str

    def client(self) -> httpx.AsyncClient:
        """Return a client with the first tenant's key; it waits as long as it takes."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(
            base_url=self.address, headers=headers, timeout=90, trust_env=False
        )

    async def status(self, path: str = "/v1/agents") -> int:
        """Return the status of a read."""
        async with self.client() as client:
            return (await client.get(path)).status_code

    async def kill_database(self) -> None:
        """End the server as a crash would."""
        assert self.server.pid
        os.kill(self.server.pid, signal.SIGKILL)
        await self.server.wait()

    def signal_database(self, number: signal.Signals) -> None:
        """Send a signal to the server and each of its backends."""
        signal_all(working_in(self.server.folder / "data"), number)

    async def value(self, sql: str) -> Any:  # a column's type is the query's
        """Ask the database as its owner."""
        link = await asyncpg.connect(self.urls.migrate)
        try:
            return await link.fetchval(sql)
        finally:
            await link.close()


@pytest.fixture(scope="package")
async def house() -> AsyncIterator[House]:
    """Raise one house for all tests of this folder."""
    async with raised() as house:
        yield house


@asynccontextmanager
async def raised() -> AsyncIterator[House]:
    """Start a server, an API and a worker, with one tenant."""
    folder = Path(mkdtemp(prefix="mesh-away-"))
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "postgres")
    urls = await server.start()
    try:
        async with Crew.over(folder, urls.login, urls.migrate) as crew:
            await crew.run("migrate")
            create = ("tenant", "create", "ours", "--tier", "enterprise", "--json")
            (_, address), worker, said = await asyncio.gather(
                crew.api(), crew.worker(), crew.run(*create)
            )
            key = msgspec.json.decode(said)["issued"]["text"]
            yield House(server, urls, crew, worker, address, key)
    finally:
        signal_all(working_in(folder / "postgres" / "data"), signal.SIGCONT)
        await server.stop()
        await asyncio.to_thread(discard, folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)
