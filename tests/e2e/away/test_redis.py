"""Redis dies and comes back: limits hold meanwhile, counted by each process alone."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

import httpx
import msgspec
from tests.conftest import needs
from tests.e2e.away.conftest import House
from tests.e2e.crew import answer, free_port, until

from ai_agent_mesh.playbook import default

FREE = default().tiers["free"].requests_per_minute or 0


async def begun(port: int, folder: Path) -> Process:
    """Start a Redis on a port and wait until it listens."""
    words = (needs("redis-server"), "--port", str(port), "--save", "", "--dir", str(folder))
    process = await asyncio.create_subprocess_exec(*words, "--bind", "127.0.0.1", stdout=DEVNULL)

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await until(listens)
    return process


async def allowed(client: httpx.AsyncClient, times: int) -> int:
    """Make so many calls; return how many were let in. The others were refused for the limit."""
    states = [(await client.get("/v1/policies")).status_code for _ in range(times)]
    assert set(states) <= {200, 429}
    return states.count(200)


async def test_without_its_redis_no_limit_opens_and_with_it_all_count_together_again(
    house: House, tmp_path: Path
) -> None:
    port = free_port()
    url = {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    made = await house.crew.run("tenant", "create", "sparing", "--tier", "free", "--json")
    headers = {"Authorization": f"Bearer {msgspec.json.decode(made)['issued']['text']}"}
    redis = await begun(port, tmp_path)
    try:
        (_, one), (_, two) = await asyncio.gather(house.crew.api(**url), house.crew.api(**url))
        async with (
            httpx.AsyncClient(base_url=one, headers=headers, timeout=60, trust_env=False) as first,
            httpx.AsyncClient(base_url=two, headers=headers, timeout=60, trust_env=False) as second,
        ):
            half = FREE // 2
            assert await allowed(first, half) == half
            assert await allowed(second, FREE) == FREE - half  # counted together, exactly

            redis.send_signal(signal.SIGKILL)
            await redis.wait()
            # Each begins to count alone: once the allowance for each process, and no more.
            assert await allowed(first, FREE + 3) == FREE
            assert await allowed(second, FREE + 3) == FREE

            async def ready() -> bool:
                return await answer(one, "/readyz") == 200

            await until(ready)  # they serve, and nothing is recorded less
            doctor = await house.crew.start("doctor", **url)
            await doctor.process.wait()
            assert "each process counts limits alone" in doctor.said()

            redis = await begun(port, tmp_path)

            async def shared() -> bool:
                """Tell whether a process that counted alone has room again: it counts in Redis."""
                return await allowed(first, 1) == 1

            await until(shared)
            await until(lambda: allowed(second, 1))
            assert await allowed(first, FREE) == FREE - 2
    finally:
        if redis.returncode is None:
            redis.send_signal(signal.SIGKILL)
        await redis.wait()
