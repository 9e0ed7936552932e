"""Real processes over one database: `mesh api`, `mesh worker`, and commands beside them."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.e2e.conftest import MESH, environment


async def until(look: Callable[[], Awaitable[Any]], within_s: float = 120) -> Any:
    """Wait until `look` gives something, and return it."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not (found := await look()):
        assert asyncio.get_running_loop().time() < deadline, "it never came"
        await asyncio.sleep(0.05)
    return found


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Member:
    """One process and what it says."""

    process: asyncio.subprocess.Process
    log: Path

    async def stop(self, by: signal.Signals = signal.SIGTERM, within_s: float = 60) -> int:
        """Send it a signal and return its exit code."""
        self.process.send_signal(by)
        return await asyncio.wait_for(self.process.wait(), within_s)

    def said(self) -> str:
        """Return all that it has said."""
        return self.log.read_text(errors="replace")


@dataclass
class Crew:
    """The processes of one test, on one data folder and database."""

    folder: Path
    env: dict[str, str]
    members: list[Member] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def over(cls, folder: Path, login: str, owner: str) -> AsyncIterator["Crew"]:
        """Gather nobody yet; kill whoever is left at the end."""
        env = environment(
            folder / "data", DATABASE_URL=login, MESH_MIGRATE_URL=owner,
            MESH_ALLOW_ADDRESSES="127.0.0.0/8",
        )  # fmt: skip
        crew = cls(folder, env)
        try:
            yield crew
        finally:
            for member in crew.members:
                if member.process.returncode is None:
                    member.process.kill()
                await member.process.wait()

    async def start(self, *words: str, **more: str) -> Member:
        """Start `mesh` with some words."""
        log = self.folder / f"{words[0]}-{len(self.members)}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *MESH, *words, env={**self.env, **more}, stdout=out, stderr=out
            )
        member = Member(process, log)
        self.members.append(member)
        return member

    async def api(self, **more: str) -> tuple[Member, str]:
        """Start an API and wait until it answers; return it and its address."""
        port = free_port()
        member = await self.start("api", "--port", str(port), **more)
        address = f"http://127.0.0.1:{port}"

        async def alive() -> bool:
            assert member.process.returncode is None, member.said()
            return await answer(address, "/livez") == 200

        await until(alive)
        return member, address

    async def worker(self) -> Member:
        """Start a worker and wait until it is ready."""
        member = await self.start("worker")

        async def ready() -> bool:
            assert member.process.returncode is None, member.said()
            return "worker ready" in member.said()

        await until(ready)
        return member

    async def run(self, *words: str, status: int = 0, **more: str) -> str:
        """Run a command to its end; return what it printed, or what it complained of."""
        process = await asyncio.create_subprocess_exec(
            *MESH, *words, env={**self.env, **more}, stdout=-1, stderr=-1
        )
        out, err = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == status, (words, out.decode(), err.decode())
        return (out if status == 0 else err).decode()


async def answer(address: str, path: str) -> int:
    """Return the status of an answer, or 0 when there is none."""
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        try:
            return (await client.get(path)).status_code
        except httpx.TransportError:
            return 0


async def checks(address: str) -> dict[str, str | None]:
    """Return what readiness finds wrong: each failed check with its reason."""
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        said = (await client.get("/readyz")).json()
    return {one["name"]: one["reason"] for one in said["checks"] if not one["ok"]}
