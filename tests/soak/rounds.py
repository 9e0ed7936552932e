"""Rounds of killing: one victim a round, under load, and then a look at everything."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

import asyncpg
from tests.soak.load import Load
from tests.soak.reckoning import Counted, Reckoning
from tests.soak.system import FENCED, Member, System, standing, until

from ai_agent_mesh.plumbing.postgres import migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer, discard
from ai_agent_mesh.settings import Settings

_HELD = "SELECT id FROM run WHERE state = 'running' AND owner = $1"
_ELSEWHERE = "SELECT count(*) FROM run WHERE id = ANY($1) AND owner = $2 AND state = 'running'"
_WORKER = "SELECT worker_id FROM worker_lease WHERE pid = $1 ORDER BY since DESC LIMIT 1"
_ENDED = "SELECT ended_at FROM worker_lease WHERE worker_id = $1"
_BACKEND = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'mesh%' AND pid <> pg_backend_pid()
"""


VICTIMS = (
    "API", "sequencer", "worker", "paused worker", "probe", "PostgreSQL", "a PostgreSQL session",
)  # fmt: skip


@dataclass
class Killing:
    """What was killed in which round, what was counted after it, and how long takeovers took."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    #: Seconds from a worker's death until the last of its runs was somebody else's.
    takeovers_s: list[float] = field(default_factory=list)
    #: Seconds from a death until everything was ready again.
    back_s: dict[str, list[float]] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counted)


class Rounds:
    """Kills parts of one system, one after the other."""

    def __init__(self, system: System, server: EmbeddedServer, seed: int) -> None:
        self.told = Killing(seed)
        self._system = system
        self._server = server
        self._random = Random(seed)  # noqa: S311 - drawn again from its seed
        self._load: Load | None = None
        kills: Sequence[Callable[[], Awaitable[None]]] = (
            self._kill_api, self._kill_sequencer, self._kill_worker, self._pause_worker,
            self._kill_probe, self._kill_postgres, self._kill_session,
        )  # fmt: skip
        self._victims = dict(zip(VICTIMS, kills, strict=True))

    async def run(
        self, rounds: int, tell: Callable[[int, str, Killing], None], only: Sequence[str] = ()
    ) -> Killing:
        """Kill so many times, each victim as often as the others, and look after each time.

        It ends early when a look found a fault. `only` names the victims (default: all).
        """
        customers = [await self._system.customer(name) for name in ("oak", "elm")]
        # The callers draw for themselves: the victims are the same ones for the same seed.
        calls = Random(self.told.seed + 1)  # noqa: S311 - as above
        load = self._load = Load(self._system, customers, calls)
        reckoning = Reckoning(self._system, load.given)
        try:
            await load.prepare()
            for number, victim in self._drawn(rounds, only or list(self._victims)):
                load.start()
                await self._under_way()
                await self._victims[victim]()
                self.told.kills[victim] += 1
                await load.stop()
                await reckoning.settle()
                self.told.counted = await reckoning.look()
                tell(number, victim, self.told)
                if self.told.counted.faults:
                    break
        finally:
            await load.close()
        return self.told

    def _drawn(self, rounds: int, victims: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Draw the victims: all of them in a random order, then all of them again."""
        left: list[str] = []
        for number in range(1, rounds + 1):
            if not left:
                left = list(victims)
                self._random.shuffle(left)
            yield number, left.pop()

    async def _under_way(self) -> None:
        """Wait until calls are answered and runs are in hand, and a random moment more."""
        assert self._load is not None
        before = len(self._load.given.receipts)

        async def busy() -> bool:
            assert self._load is not None
            return len(self._load.given.receipts) > before + 20

        await until(busy, "calls are answered")
        await asyncio.sleep(self._random.uniform(0, 0.5))

    async def _again(self, name: str, member: Member) -> None:
        """Kill a process and start it again at once, as a supervisor does."""
        await member.kill()
        began = monotonic()
        await member.start()
        await self._system.ready([member])
        self.told.back_s.setdefault(name, []).append(monotonic() - began)

    async def _kill_api(self) -> None:
        await self._again("API", self._random.choice(self._system.named("api")))

    async def _kill_sequencer(self) -> None:
        holder = await self._system.sequencer()
        await self._again("API", holder)
        await self._system.sequencer()

    async def _kill_probe(self) -> None:
        await self._again("probe", self._random.choice(self._system.named("probe")))

    async def _kill_postgres(self) -> None:
        assert self._server.pid
        began = monotonic()
        os.kill(self._server.pid, signal.SIGKILL)
        await self._server.wait()
        await self._server.restart()
        await self._system.ready()
        self.told.back_s.setdefault("PostgreSQL", []).append(monotonic() - began)

    async def _kill_session(self) -> None:
        """Kill one session's process: PostgreSQL then ends all of them, and recovers by itself."""
        began = monotonic()
        async with self._system.inside() as link:
            pids = [row["pid"] for row in await link.fetch(_BACKEND)]
            os.kill(self._random.choice(pids), signal.SIGKILL)

            async def down() -> bool:
                try:
                    return not await link.fetchval("SELECT true")
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return True

            await until(down, "PostgreSQL noticed")
        await self._system.ready()
        self.told.back_s.setdefault("PostgreSQL", []).append(monotonic() - began)

    async def _kill_worker(self) -> None:
        """Kill the worker with the most in hand; its runs are somebody else's within the lease."""
        member, worker_id, held = await self._busiest()
        await member.kill()
        began = monotonic()
        await member.start()
        await self._taken_over(worker_id, held)
        self.told.takeovers_s.append(monotonic() - began)
        await self._system.ready([member])

    async def _pause_worker(self) -> None:
        """Stop a worker until its lease has ended: when it wakes it can only leave."""
        member, worker_id, held = await self._busiest()
        assert member.process is not None
        member.process.send_signal(signal.SIGSTOP)
        began = monotonic()
        try:
            await self._taken_over(worker_id, held)
            self.told.takeovers_s.append(monotonic() - began)
            async with self._system.inside() as link:
                await until(lambda: link.fetchval(_ENDED, worker_id), "its lease is ended")
        finally:
            member.process.send_signal(signal.SIGCONT)
        code = await asyncio.wait_for(member.process.wait(), 60)
        assert code == FENCED, f"a worker without its lease ended with {code}: {member.said()}"
        await member.start()
        await self._system.ready([member])

    async def _busiest(self) -> tuple[Member, str, list[str]]:
        """Return the worker with the most runs in hand, its id and theirs, once one has some."""

        async def busy() -> tuple[Member, str, list[str]] | None:
            found = await self._in_hand()
            return found if found[2] else None

        busiest = await until(busy, "a run is in hand", every_s=0.01)
        assert busiest is not None
        return busiest

    async def _in_hand(self) -> tuple[Member, str, list[str]]:
        found: list[tuple[Member, str, list[str]]] = []
        async with self._system.inside() as link:
            for member in self._system.named("worker"):
                worker_id = await link.fetchval(_WORKER, member.pid)
                held = [row["id"] for row in await link.fetch(_HELD, worker_id)]
                found.append((member, worker_id, held))
        return max(found, key=lambda one: len(one[2]))

    async def _taken_over(self, worker_id: str, held: list[str]) -> None:
        async with self._system.inside() as link:

            async def elsewhere() -> bool:
                return not await link.fetchval(_ELSEWHERE, held, worker_id)

            await until(elsewhere, "its runs go on elsewhere")


@asynccontextmanager
async def arena(folder: Path, seed: int, lease_s: float, workers: int) -> AsyncIterator[Rounds]:
    """Stand up a database of its own with two APIs, workers and a probe on it, and end all of it.

    PostgreSQL's own user must be able to pass through `folder`.
    """
    server = EmbeddedServer(folder / "postgres")
    urls = await server.start()
    try:
        await migrate(urls.migrate, "mesh_login")
        settings = Settings(
            data=folder / "data", database_url=urls.login, migrate_url=urls.migrate, lease_s=lease_s
        )
        async with standing(settings, folder) as system:
            await system.add("api", "api", *["worker"] * workers)
            await system.add("probe")
            yield Rounds(system, server, seed)
    finally:
        await server.stop()
        discard(folder / "postgres")
