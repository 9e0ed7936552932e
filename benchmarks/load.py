"""A small HTTP/1.1 load generator: keep-alive connections, each with one request under way."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What a load came to."""

    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0
    elapsed_s: float = 0

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return len(self.latencies_s) / self.elapsed_s if self.elapsed_s else 0.0


class _Connection(asyncio.Protocol):
    """Sends a request and wakes its sender when the whole answer is there."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiter: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's promise for TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self._waiter is None:
            return
        length = next(
            (
                int(line[15:])
                for line in head.split(b"\r\n")
                if line[:15].lower() == b"content-length:"
            ),
            0,
        )
        if len(body) >= length:
            status, self._buffer = int(head[9:12]), body[length:]
            waiter, self._waiter = self._waiter, None
            waiter.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionError("closed"))

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of its answer."""
        assert self._transport is not None  # noqa: S101 - set before anybody can ask
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._waiter, 30)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def request_bytes(
    method: str, path: str, key: str = "", body: bytes = b"", extra: str = ""
) -> bytes:
    """Return one request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def closed_loop(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> Outcome:
    """Keep `connections` requests under way for a time; each connection cycles through them."""
    return await _drive(port, requests, connections, seconds, pause_s=0)


async def open_loop(
    port: int, requests: Sequence[bytes], *, rate: float, seconds: float, connections: int = 32
) -> Outcome:
    """Send at a fixed rate; a request that starts late counts from when it should have started."""
    return await _drive(port, requests, connections, seconds, pause_s=connections / rate)


async def _drive(
    port: int, requests: Sequence[bytes], connections: int, seconds: float, *, pause_s: float
) -> Outcome:
    outcome = Outcome()
    begin = time.perf_counter()
    until = begin + seconds

    async def one(index: int) -> None:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(_Connection, "127.0.0.1", port)
        due = begin + pause_s * index / connections
        turn = index
        while (now := time.perf_counter()) < until:
            if pause_s and now < due:
                await asyncio.sleep(due - now)
            started = due if pause_s else time.perf_counter()
            status = await link.ask(requests[turn % len(requests)])
            turn += connections
            due += pause_s
            outcome.latencies_s.append(time.perf_counter() - started)
            outcome.failed += status >= 400
        link.close()

    await asyncio.gather(*(one(index) for index in range(connections)))
    outcome.elapsed_s = time.perf_counter() - begin
    return outcome
