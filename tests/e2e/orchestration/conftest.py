"""Real worker processes on a fresh database, and a service that counts its effects by key."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import Databases

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.governance import Effect, Gate, Policies
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.orchestration import (
    Approval,
    Approvals,
    ExpressionPool,
    Run,
    Runs,
    RunShown,
    Workflows,
)

TENANT = "tnt_01hzzzzzzzzzzzzzzzzzzzzzzz"
HEADER = "document: {dsl: '1.0.0', namespace: test, name: %s, version: %s}\n"
CLOCK = SystemClock()
LEASE_S = 1.5


@dataclass
class Service:
    """An HTTP service that does each effect once per Idempotency-Key."""

    url: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    done: dict[str, Any] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        try:
            while line := await reader.readline():
                _, path, _ = line.decode().split()
                headers: dict[str, str] = {}
                while (head := (await reader.readline()).decode().strip()) != "":
                    name, _, value = head.partition(":")
                    headers[name.lower()] = value.strip()
                raw = await reader.readexactly(int(headers.get("content-length", 0)))
                body = msgspec.json.decode(raw) if raw else None
                status, answer = await self.answer(path, headers.get("idempotency-key", ""), body)
                text = msgspec.json.encode(answer)
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
                    f"content-length: {len(text)}\r\n\r\n".encode()
                    + text
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, path: str, key: str, body: Any) -> tuple[int, Any]:
        """Do what the path says: /slow/2 takes two seconds, /flaky/2 fails twice for each key."""
        self.calls.append((path, key, body))
        what, _, number = path.strip("/").partition("/")
        if what == "flaky" and self.failures[key] < int(number):
            self.failures[key] += 1
            return 503, {"error": "not now"}
        if key not in self.done:
            self.done[key] = {"did": body, "path": path}
            self.effects[(path, msgspec.json.encode(body).decode())] += 1
        if what == "slow":
            await asyncio.sleep(float(number))
        return (404, {}) if what == "missing" else (200, self.done[key])


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """Serve on a free port."""
    service = Service()
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield service
    server.close()


@dataclass
class Worker:
    """One worker process."""

    process: asyncio.subprocess.Process
    log: Path

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def kill(self) -> None:
        """Kill it as a crash would."""
        self.process.kill()
        await self.process.wait()


@dataclass
class House:
    """A tenant with workflows, and the workers that run them."""

    databases: Databases
    expressions: ExpressionPool
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    gate: Gate = field(default_factory=Gate)

    @property
    def principal(self) -> Principal:
        """Return the one who starts runs."""
        return msgspec.convert(
            {
                "tenant_id": TENANT,
                "tier": "professional",
                "actor_id": "usr_01hzzzzzzzzzzzzzzzzzzzzzzz",
                "key_id": None,
                "role": "owner",
                "platform": False,
            },
            Principal,
        )

    async def worker(self) -> Worker:
        """Start one more worker and wait until it is ready."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MESH_", "DATABASE"))}
        more = {
            "MESH_DATA": str(self.folder / "data"),
            "DATABASE_URL": self.databases.url,
            "MESH_LEASE_S": str(LEASE_S),
            "MESH_ALLOW_ADDRESSES": "127.0.0.0/8",
        }
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ai_agent_mesh", "worker", env={**kept, **more}, stderr=out
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        await until(lambda: _ready(worker), 30)
        return worker

    async def put(self, name: str, tasks: str, version: str = "1.0.0") -> None:
        """Write a workflow."""
        async with self.databases.app.tenant(TENANT) as tx:
            source = HEADER % (name, version) + tasks
            await Workflows(tx, CLOCK).put(source, "usr_x", self.expressions)

    async def start(self, name: str, given: Any = None) -> Run:
        """Start a run."""
        async with self.databases.app.tenant(TENANT) as tx:
            return await Runs(tx, CLOCK).start(name, given or {}, self.principal, self.gate)

    async def show(self, run_id: str) -> RunShown:
        """Read a run."""
        async with self.databases.app.tenant(TENANT) as tx:
            return await Runs(tx, CLOCK).show(run_id)

    async def owner(self, run_id: str) -> str:
        """Return the worker that holds a run."""
        async with self.databases.operations.transaction() as tx:
            return str(await tx.fetchval("SELECT owner FROM run WHERE id = $1", run_id))

    async def worker_of(self, run_id: str) -> Worker:
        """Return the process that holds a run."""
        owner = await self.owner(run_id)
        [held] = [worker for worker in self.workers if owner in worker.log.read_text()]
        return held

    async def ended(self, run_id: str, *states: str, within_s: float = 60) -> RunShown:
        """Wait for a run to reach one of some states (default: an end)."""
        wanted = states or ("completed", "faulted", "cancelled")

        async def there() -> RunShown | None:
            shown = await self.show(run_id)
            return shown if shown.state in wanted else None

        shown: RunShown = await until(there, within_s)
        return shown

    async def approvals(self, state: str = "pending") -> list[Approval]:
        """List approvals."""
        async with self.databases.app.tenant(TENANT) as tx:
            return list((await Approvals(tx, CLOCK).list(Page(), state)).items)

    async def decide(self, approval_id: str, state: str, **said: Any) -> Approval:
        """Decide an approval."""
        async with self.databases.app.tenant(TENANT) as tx:
            return await Approvals(tx, CLOCK).decide(approval_id, state, "usr_judge", **said)

    async def entries(self, kind: str) -> list[Any]:
        """Return the ledger entries of a kind that lie in the inbox."""
        async with self.databases.ledger.transaction() as tx:
            rows = await tx.fetch("SELECT bytes FROM ledger_inbox ORDER BY at")
        found = [msgspec.json.decode(row["bytes"]) for row in rows]
        return [entry for entry in found if entry["kind"] == kind]


async def _ready(worker: Worker) -> bool:
    assert worker.process.returncode is None, worker.log.read_text()
    return "worker ready" in worker.log.read_text()


async def until(look: Callable[[], Awaitable[Any]], within_s: float = 60) -> Any:
    """Wait until `look` gives something, and return it."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not (found := await look()):
        assert asyncio.get_running_loop().time() < deadline, "it never came"
        await asyncio.sleep(0.05)
    return found


ANY_HTTP = """permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp",
  resource is Mesh::Endpoint);"""


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    """Make a tenant whose workflows may call anything."""
    async with databases.app.tenant(TENANT) as tx:
        await Policies(tx).install_starter()
        await Policies(tx).put("any-http", ANY_HTTP)
    async with ExpressionPool() as expressions:
        house = House(databases, expressions, tmp_path)
        yield house
        for worker in house.workers:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()


__all__ = ["Database", "Effect", "Role"]
