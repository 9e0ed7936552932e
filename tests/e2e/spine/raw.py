"""Requests as bytes, for what no client library would send, and what a refusal looks like."""

import asyncio

import httpx
from tests.e2e.conftest import Stack


def refused(answer: httpx.Response) -> None:
    """Hold an answer to one clear refusal."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    assert "Traceback" not in answer.text
    assert "mesh-receipt" in answer.headers


async def connected(stack: Stack) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", httpx.URL(stack.api).port)


class Raw:
    """One connection that sends paths as they are written, one after the other."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str) -> httpx.Response:
        """Send a request with an empty document and return its answer."""
        reader, writer = self._link = self._link or await connected(self._stack)
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._stack.key}"
        about = 'If-Match: "1"\r\nContent-Type: application/json\r\nContent-Length: 2'
        writer.write(f"{head}\r\n{about}\r\n\r\n{{}}".encode())
        async with asyncio.timeout(15):
            first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            pairs = [(name, value) for name, _, value in (line.partition(": ") for line in rest)]
            length = int(dict(pairs).get("content-length", 0))
            content = await reader.readexactly(length)
        return httpx.Response(int(first[9:12]), headers=pairs, content=content)

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link[1].close()


async def raw(
    stack: Stack,
    method: str,
    path: str,
    headers: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    key: str | None = None,
) -> httpx.Response:
    """Send a path as it is written: no client library would."""
    reader, writer = await connected(stack)
    fields = [("Host", "x"), ("Authorization", f"Bearer {key or stack.key}"), *(headers or [])]
    fields += [("Connection", "close"), ("Content-Length", str(len(body)))] if body else []
    fields += [] if body else [("Connection", "close")]
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    async with asyncio.timeout(15):
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        got = await reader.read()
    writer.close()
    head, _, content = got.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    pairs = [tuple(line.split(": ", 1)) for line in rest]
    return httpx.Response(int(first[9:12]), headers=pairs, content=content)  # type: ignore[arg-type] # pairs
