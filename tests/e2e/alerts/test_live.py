"""A live Prometheus over a live mesh: through an outage until the budget's alert fires."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import yaml
from msgspec import json
from tests.conftest import needs
from tests.e2e.conftest import MESH, environment

from ai_agent_mesh.adapters import grafana, prometheus
from ai_agent_mesh.playbook import Playbook, load
from ai_agent_mesh.plumbing.postgres import migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer
from ai_agent_mesh.plumbing.processes import free_port

#: The shipped rules, with windows that a test can wait for.
QUICK = """
alerting:
  evaluated_every: 1s
  rates_over: 1m
  burn: {windows: [{budget: 2%, within: 12m, urgency: critical}]}
"""
#: Far beyond what it takes; a machine that is slow must not fail the test.
PATIENCE_S = 120


@asynccontextmanager
async def running(*command: str, env: dict[str, str], log: Path) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=env, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def until(look: Callable[[], Awaitable[object]]) -> object:
    """Return what `look` finds, once it finds something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(httpx.TransportError):
                if found := await look():
                    return found
            await asyncio.sleep(0.2)


class Watcher:
    """Asks a Prometheus."""

    def __init__(self, port: int) -> None:
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)

    async def ask(self, query: str) -> list[dict[str, object]]:
        answer = await self.client.get("/api/v1/query", params={"query": query})
        if answer.status_code == 503:  # it reads its log and will be there in a moment
            return []
        assert answer.is_success, (query, answer.text)
        return list(answer.json()["data"]["result"])

    async def firing(self, name: str, **labels: str) -> bool:
        told = (await self.client.get("/api/v1/alerts")).json()["data"]["alerts"]
        wanted = {"alertname": name, **labels}.items()
        return any(one["state"] == "firing" and wanted <= one["labels"].items() for one in told)


def configured(folder: Path, book: Playbook, port: int) -> Path:
    (folder / "rules.yaml").write_text(prometheus.render(book, version="test", source="a test"))
    scrape = {
        "job_name": "mesh",
        "scrape_interval": "2s",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "scrape_configs": [scrape]}))
    return file


async def announce(url: str) -> None:
    """Put work on governance into the database, announced in time and going on now."""
    database = await asyncpg.connect(url)
    await database.execute(
        "INSERT INTO maintenance_act VALUES (1, 'ent_a', now() - interval '80 h', '')"
    )
    await database.execute(
        "INSERT INTO maintenance (id, title, description, since, until, services, announced_at,"
        " announced_by, entry) VALUES ('mnt_now', 'Work', '', now() - interval '1 h',"
        " now() + interval '2 h', '{governance}', now() - interval '80 h', 'usr_a', 'ent_a')"
    )
    await database.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[EmbeddedServer, str]]:
    """Start a PostgreSQL that this test may take away."""
    folder = Path(mkdtemp(prefix="mesh-live-"))
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "postgres", durable=False)
    urls = await server.start()
    await migrate(urls.migrate, urlsplit(urls.login).username)
    await announce(urls.migrate)
    yield server, urls.login
    await server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def api(
    tmp_path: Path, server: tuple[EmbeddedServer, str]
) -> AsyncIterator[tuple[int, str, Playbook]]:
    """Start one API process; return its port, a key, its playbook."""
    (tmp_path / "quick.yaml").write_text(QUICK)
    port = free_port("127.0.0.1", 0)
    env = environment(
        tmp_path / "data",
        DATABASE_URL=server[1],
        MESH_PORT=str(port),
        MESH_PLAYBOOK=str(tmp_path / "quick.yaml"),
    )
    async with running(*MESH, "api", env=env, log=tmp_path / "api.log"):
        made = await asyncio.create_subprocess_exec(
            *MESH, "tenant", "create", "acme", "--tier", "enterprise", "--json", env=env, stdout=-1
        )
        out, _ = await made.communicate()
        async with httpx.AsyncClient() as client:
            await until(lambda: ready(client, port))
        yield port, json.decode(out)["issued"]["text"], load(tmp_path / "quick.yaml")


async def ready(client: httpx.AsyncClient, port: int) -> bool:
    return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200


async def check_metrics(port: int) -> None:
    """Let promtool look at what is exposed; it finds nothing to say."""
    async with httpx.AsyncClient(timeout=30) as client:
        shown = await client.get(
            f"http://127.0.0.1:{port}/metrics", headers={"Accept": "text/plain"}
        )
    linter = await asyncio.create_subprocess_exec(
        needs("promtool"), "check", "metrics", stdin=-1, stdout=-1, stderr=-1
    )
    out, err = await linter.communicate(shown.content)
    assert (linter.returncode, out, err) == (0, b"", b"")


@asynccontextmanager
async def cancelled(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    """Let a task run meanwhile, and end it whatever happens."""
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_outage_of_the_database_fires_the_budgets_alert_on_a_live_prometheus(
    tmp_path: Path, api: tuple[int, str, Playbook], server: tuple[EmbeddedServer, str]
) -> None:
    port, key, book = api
    seen, answers = free_port("127.0.0.1", 0), []
    command = (
        needs("prometheus"), f"--config.file={configured(tmp_path, book, port)}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address=127.0.0.1:{seen}",
    )  # fmt: skip

    async def call() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(headers=headers, timeout=90) as client:
            while True:
                await client.get(f"http://127.0.0.1:{port}/v1/policies")
                answers.append(await client.get(f"http://127.0.0.1:{port}/v1/agents"))
                await asyncio.sleep(0.05)

    async def refused() -> bool:
        return answers[-1].status_code == 503

    watcher = Watcher(seen)
    async with (
        running(*command, env=dict(os.environ), log=tmp_path / "prometheus.log"),
        watcher.client,
        cancelled(asyncio.create_task(call())),
    ):
        ratio = 'slo:sli_error:ratio_rate1m{sloth_slo="api-availability"}'
        await until(lambda: watcher.ask(ratio))
        panels = json.decode(grafana.render(book, "a test"))["panels"]
        for query in (target["expr"] for one in panels for target in one.get("targets", ())):
            await watcher.ask(query)
        assert await watcher.ask("sum(mesh_requests_total) > 0")
        assert await watcher.ask("mesh_database_up == 1")
        assert not await watcher.firing("ErrorBudgetBurn")
        assert {answer.status_code for answer in answers} == {200}

        await check_metrics(port)

        await server[0].stop()
        await until(lambda: watcher.firing("ErrorBudgetBurn", sloth_slo="api-availability"))
        await until(lambda: watcher.ask("mesh_database_up == 0"))
        await until(lambda: watcher.ask("ALERTS{alertname='ApiErrorRate'}"))
        # Governance fails as well, and its work was announced.
        await until(
            lambda: watcher.ask('sum(mesh_sli_excluded_bad_total{service="governance"}) > 0')
        )
        await until(lambda: watcher.ask('mesh:maintenance_active:bool{maintenance="mnt_now"} == 1'))
        assert not await watcher.ask("ALERTS{sloth_slo='governance-availability'}")
        await until(refused)
