"""The pages behind a real server on a free port, over a real database; and a browser."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import uvicorn
from litestar import Litestar
from litestar.di import Provide
from tests.conftest import Databases, Server, named, needs

from ai_agent_mesh import web
from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.objectives import Everybody
from ai_agent_mesh.operations.status import Status
from ai_agent_mesh.operations.status import routes as public
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.plumbing.postgres import Database, Role

NOW = datetime(2026, 11, 23, 12, 0, 40, tzinfo=UTC)


@dataclass
class Pages:
    """What the pages ask for, and where they are."""

    status: Status
    everybody: Everybody
    playbook: Playbook
    databases: Databases
    address: str = ""


@pytest.fixture(scope="session")
async def template(postgres: Server, template: str) -> AsyncIterator[str]:
    """Fill one database with history; each test's is copied from it."""
    name = f"mesh_history_{new_id('t')[-8:]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    ledger = await Database.open(named(postgres.login, name), Role.LEDGER)
    await history(ledger)
    await ledger.close()
    yield name
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def pages(databases: Databases) -> AsyncIterator[Pages]:
    """Serve the pages; ninety days of evidence with some bad ones lie in the database."""
    read = (databases.operations, default(), FixedClock(NOW))
    mesh = Pages(Status(*read), Everybody(*read), default(), databases)
    wanted = [public.summary_json, public.status_json, public.components_json, public.livez]
    app = Litestar(
        [*web.routes(), *wanted],
        dependencies={"mesh": Provide(lambda: mesh, sync_to_thread=False)},
        openapi_config=None,
        logging_config=None,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    mesh.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield mesh
    server.should_exit = True
    await serving
    listening.close()


async def history(ledger: Database) -> None:
    """Write roll-ups as the sequencer would: 70 days of probes, an outage, a gap."""
    first = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=70)
    last = NOW.replace(second=0) - timedelta(minutes=1)
    async with ledger.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO ledger_minute
            SELECT 'probe', minute, service, 'other', 4, 4,
                   CASE WHEN service = 'orchestration' AND (
                          minute BETWEEN $2::timestamptz - interval '20 days'
                                     AND $2::timestamptz - interval '20 days' + interval '41 min'
                          OR minute >= $2::timestamptz - interval '1 min') THEN 2
                        WHEN service = 'governance' AND minute = $2::timestamptz - interval '9 days'
                        THEN 4
                        ELSE 0 END, 0, 0, 0, 0
            FROM generate_series($1::timestamptz, $2::timestamptz, interval '1 minute') AS minute,
                 unnest(ARRAY['api', 'orchestration', 'governance', 'telemetry']) AS service
            WHERE NOT (service = 'telemetry'
                       AND minute >= $2::timestamptz - interval '40 days'
                       AND minute < $2::timestamptz - interval '40 days' + interval '9 hours')
            """,
            first,
            last,
        )


@dataclass(frozen=True)
class Browser:
    """Chromium without a window, with a profile of its own."""

    path: str
    profile: Path

    async def run(self, *words: str) -> str:
        """Run it once and return what it printed."""
        return (await self._run(*words))[0]

    async def watched(self, *words: str) -> tuple[str, list[str]]:
        """Run it once; return what it printed, and what pages said on its console."""
        out, log = await self._run("--enable-logging=stderr", *words)
        return out, [each for each in log.splitlines() if ":CONSOLE" in each]

    async def _run(self, *words: str) -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            self.path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--user-data-dir={self.profile}", *words,
            stdout=-1, stderr=-1,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        return out.decode(), err.decode()


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Return a browser, or skip where there is none."""
    return Browser(needs("chromium"), tmp_path / "profile")
