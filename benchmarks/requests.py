"""An authenticated, rate-limited, ledgered agent read beside the same read on the bare stack."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.figures import Figure, percentile
from benchmarks.load import closed_loop, open_loop, request_bytes
from benchmarks.system import System, system

AGENTS = 20
CONNECTIONS = 16
RATE = 300


async def run(seconds: float = 8) -> list[Figure]:
    """Return the figures of a read, a policy decision over HTTP and an accepted run."""
    async with system("--no-probe", "--workers", "0") as up:
        ids = [await _agent(up, index) for index in range(AGENTS)]
        ours = [request_bytes("GET", f"/v1/agents/{agent}", up.key) for agent in ids]
        steady = await open_loop(up.port, ours, rate=RATE, seconds=seconds)
        full = await closed_loop(up.port, ours, connections=CONNECTIONS, seconds=seconds)
        async with _bare(up) as port:
            theirs = [request_bytes("GET", f"/v1/agents/{agent}") for agent in ids]
            bare_steady = await open_loop(port, theirs, rate=RATE, seconds=seconds)
            bare = await closed_loop(port, theirs, connections=CONNECTIONS, seconds=seconds)
        again = await closed_loop(up.port, ours, connections=CONNECTIONS, seconds=seconds)
        figures = [
            Figure(
                f"agent read at {RATE}/s",
                _spread(steady.latencies_s),
                "p50 < 5 ms, p99 < 15 ms",
                f"bare: {_spread(bare_steady.latencies_s)}",
                f"{_p50(steady.latencies_s) / _p50(bare_steady.latencies_s):.1f}",
            ),
            Figure(
                f"agent reads, {CONNECTIONS} connections",
                f"{full.rate:,.0f}/s, then {again.rate:,.0f}/s",
                "at least 0.6 of bare",
                f"bare: {bare.rate:,.0f}/s",
                f"{(full.rate + again.rate) / 2 / bare.rate:.2f}",
            ),
            *[await _decisions(up, seconds), await _runs(up, seconds)],
        ]
        failed = steady.failed + full.failed + again.failed + bare.failed + bare_steady.failed
        return [*figures, Figure("requests that failed meanwhile", str(failed), "0")]


async def _decisions(up: System, seconds: float) -> Figure:
    agent = b'{"type":"Agent","id":"agt_0","name":"bench-0","kind":"http"}'
    body = b'{"action":"invokeAgent","resource":' + agent + b"}"
    asked = [request_bytes("POST", "/v1/policies:evaluate", up.key, body)]
    load = await open_loop(up.port, asked, rate=100, seconds=seconds, connections=8)
    said = f"{_spread(load.latencies_s)}, {load.failed} failed"
    return Figure("policy decision over HTTP, 100/s", said, "p50 < 5 ms, p99 < 20 ms")


async def _runs(up: System, seconds: float) -> Figure:
    definition = {
        "document": {"dsl": "1.0.0", "namespace": "bench", "name": "bench", "version": "1.0.0"},
        "do": [{"greet": {"set": {"greeting": "hello"}}}],
    }
    await up.ask("POST", "/v1/workflows", definition)
    asked = [request_bytes("POST", "/v1/workflows/bench/runs", up.key, b'{"input":{}}')]
    load = await open_loop(up.port, asked, rate=50, seconds=seconds, connections=8)
    said = f"{_spread(load.latencies_s)}, {load.failed} failed"
    return Figure("run accepted, 50/s", said, "p50 < 20 ms, p99 < 150 ms")


async def _agent(up: System, index: int) -> str:
    body = {"name": f"bench-{index}", "kind": "http", "url": "http://127.0.0.1:9/"}
    return str((await up.ask("POST", "/v1/agents", body))["id"])


@asynccontextmanager
async def _bare(up: System) -> AsyncIterator[int]:
    """Run the bare stack on a free port against the same database."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    tenant = str((await up.ask("GET", "/v1/auth/whoami"))["tenant_id"])
    words = ("-m", "benchmarks.bare", str(port), up.login_url, tenant)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=-3)
    try:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                break
        yield port
    finally:
        process.terminate()
        await process.wait()


def _p50(latencies_s: list[float]) -> float:
    return percentile(latencies_s, 0.5)


def _spread(latencies_s: list[float]) -> str:
    p50, p99 = percentile(latencies_s, 0.5) * 1000, percentile(latencies_s, 0.99) * 1000
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
