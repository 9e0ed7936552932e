"""A whole system of processes on one database: two APIs, workers, a probe, and what outlives them.

Each process is started as an operator starts it, can be killed, and is started again at once.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import asyncpg
import httpx
import msgspec
from tests.soak.recorder import Journal

from ai_agent_mesh.cli.up.first import fresh_probe_key
from ai_agent_mesh.plumbing.processes import die_with_parent, free_port
from ai_agent_mesh.product.identity import open_account
from ai_agent_mesh.settings import LOOPBACK, Settings
from ai_agent_mesh.wiring import Mesh

T = TypeVar("T")

MESH = (sys.executable, "-m", "ai_agent_mesh")
#: What may not leak from the tester's shell into the system under test.
FOREIGN = ("MESH_", "DATABASE_URL", "REDIS_URL", "OTEL_", "PG")
PATIENCE_S = 120.0
#: The exit code of a worker that found its lease taken.
FENCED = 75


class NeverCame(AssertionError):  # noqa: N818 - a fact, like the product's own
    """What was waited for did not come."""


async def until(
    look: Callable[[], Awaitable[T]], what: str, within_s: float = PATIENCE_S, every_s: float = 0.05
) -> T:
    """Wait until `look` gives something true and return it.

    Raises:
        NeverCame: it did not within the time; a test fails by it.
    """
    give_up = asyncio.get_running_loop().time() + within_s
    while not (found := await look()):
        if asyncio.get_running_loop().time() > give_up:
            raise NeverCame(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(every_s)
    return found


@dataclass
class Member:
    """One process of the mesh, under the name of its part in it."""

    name: str
    words: tuple[str, ...]
    env: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    #: What an API said of its readiness last.
    last: str = ""
    _read: int = 0

    @property
    def pid(self) -> int:
        """Return the process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Tell whether the process lives."""
        return self.process is not None and self.process.returncode is None

    @property
    def url(self) -> str:
        """Return where an API listens."""
        return f"http://127.0.0.1:{self.env['MESH_PORT']}"

    async def start(self) -> None:
        """Start it, now or again."""
        self._read = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *MESH, *self.words, env=self.env, stdout=out, stderr=out, stdin=-3,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )  # fmt: skip

    def said(self) -> str:
        """Return what this start of it has logged."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            return file.read().decode(errors="replace")

    async def ready(self) -> bool:
        """Tell whether it works; one that ended by itself fails the test.

        A worker that lost its lease is started again, as its supervisor does.
        """
        assert self.process is not None
        if self.process.returncode == FENCED:
            await self.start()
        assert self.process.returncode is None, f"{self.name} ended: {self.said()[-2000:]}"
        if self.words[0] != "api":
            return "worker ready" in self.said() or "probe.started" in self.said()
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501 - no TLS
            try:
                answer = await client.get(f"{self.url}/readyz")
            except httpx.TransportError:
                return False
        self.last = f"{answer.status_code} {answer.text[:500]}"
        return answer.is_success

    async def kill(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()


@dataclass
class Customer:
    """A tenant and its owner's key."""

    id: str
    key: str


@dataclass
class System:
    """The processes, the database that they share, and the service that their runs call."""

    settings: Settings
    folder: Path
    recorder: str
    more: dict[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)

    def named(self, part: str) -> list[Member]:
        """Return the processes of a part: api, worker or probe."""
        return [member for member in self.members if member.words[0] == part]

    async def add(self, *parts: str) -> None:
        """Start processes together and wait until they are ready."""
        before = len(self.members)
        for part in parts:
            self.members.append(self._member(part))
        new = self.members[before:]
        await asyncio.gather(*(member.start() for member in new))
        await self.ready(new)

    async def ready(self, members: Sequence[Member] | None = None) -> None:
        """Wait until these processes, or all, are ready."""
        for member in self.members if members is None else members:
            try:
                await until(member.ready, f"{member.name} ready")
            except NeverCame as error:
                raise NeverCame(f"{error}: {member.last}\n{member.said()[-2000:]}") from error

    def _member(self, part: str) -> Member:
        number = 1 + sum(member.words[0] == part for member in self.members)
        name = f"{part}-{number}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        env = kept | {
            "MESH_DATA": str(self.settings.data),
            "DATABASE_URL": self.settings.database_url or "",
            "MESH_LEASE_S": str(self.settings.lease_s),
            "MESH_ALLOW_ADDRESSES": LOOPBACK,
            "MESH_PORT": str(self._port()),
            "MESH_PROBE_KEY": self.settings.probe_key or "",
            "PYTHONUNBUFFERED": "1",
        }
        words: tuple[str, ...] = (part,)
        if part == "probe":
            words += ("--target", self.named("api")[0].url, "--interval", "1")
        return Member(name, words, env | self.more, self.folder / f"{name}.log")

    def _port(self) -> int:
        taken = {member.env["MESH_PORT"] for member in self.members}
        while str(port := free_port("127.0.0.1", 0)) in taken:
            pass
        return port

    async def customer(self, name: str, tier: str = "enterprise") -> Customer:
        """Make a tenant; one on the usual tier has no limit."""
        async with Mesh.open(self.settings, roomy=False) as mesh, mesh.app.transaction() as tx:
            made = await open_account(
                mesh, tx, name, tier, email="owner@localhost", person="The owner"
            )
        return Customer(made.tenant.id, made.issued.text)

    @asynccontextmanager
    async def inside(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Connect as one whom row-level security does not bind."""
        link = await asyncpg.connect(self.settings.migrate_url)
        try:
            yield link
        finally:
            await link.close()

    async def sequencer(self) -> Member:
        """Return the API process that numbers, once there is one."""

        async def held() -> Member | None:
            async with self.inside() as link:
                row = await link.fetchrow(
                    "SELECT holder, leased_until > clock_timestamp() AS held FROM ledger_head"
                )
            holds = row is not None and row["held"]
            pid = str(row["holder"]).rpartition(":")[2] if row else ""
            alive = (one for one in self.named("api") if holds and one.runs and str(one.pid) == pid)
            return next(alive, None)

        found = await until(held, "somebody numbers")
        assert found is not None
        return found

    async def journal(self) -> Journal:
        """Return what the recording service was asked."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.recorder}/journal")
        return msgspec.json.decode(answer.content, type=Journal)


@asynccontextmanager
async def standing(
    settings: Settings, folder: Path, *, pause_s: float = 0.1, **more: str
) -> AsyncIterator[System]:
    """Prepare a system on a migrated database, no process of it started yet; end all at the end."""
    recorder = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.recorder", str(pause_s), stdout=-1,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )  # fmt: skip
    assert recorder.stdout is not None
    address = (await recorder.stdout.readline()).decode().strip()
    key = await fresh_probe_key(settings)
    system = System(replace(settings, probe_key=key), folder, address, dict(more))
    try:
        yield system
    finally:
        await asyncio.gather(*(member.kill() for member in system.members))
        recorder.kill()
        await recorder.wait()
