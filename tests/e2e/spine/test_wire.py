"""A connection that says nothing, too little, too slowly or nonsense ends, and alone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import uvicorn
from uvicorn.server import ServerState

from ai_agent_mesh.api.exchange import Receive, Scope, Send
from ai_agent_mesh.api.wire import UNREAD_BYTES, Wire

GET = b"GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = 20_000_000


class Hasty(Wire):
    """The same with less patience."""

    patience_s = 0.3
    linger_s = 0.3


@dataclass
class Server:
    """A real server on a real port, before an application that tells what it saw."""

    port: int = 0
    #: Of each request: its headers, its body (None where it broke off), what the wire said of it.
    seen: list[tuple[list[tuple[bytes, bytes]], bytes | None, object]] = field(default_factory=list)
    early: bool = False
    state: ServerState = field(default_factory=ServerState)

    @property
    def open(self) -> int:
        """Return how many connections the server has."""
        return len(self.state.connections)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, unless told to answer before it, and answer with its length."""
        body: bytes | None = b""
        more = not self.early
        while more:
            message = await receive()
            more = message.get("more_body", False)
            body = None if message["type"] == "http.disconnect" else (body or b"") + message["body"]
        self.seen.append((list(scope["headers"]), body, scope.get("mesh.refusal")))
        said = b"x" * LARGE if scope["path"] == "/v1/large" else b"%d" % len(body or b"")
        length = (b"content-length", b"%d" % len(said))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": said})

    async def said(self, *parts: bytes, within_s: float = 10) -> bytes:
        """Send parts and return all that comes until the server hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        async with asyncio.timeout(within_s):
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.01)
            got = await reader.read()
        writer.close()
        return got


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Serve with little patience."""
    made = Server()
    config = uvicorn.Config(
        made.app, interface="asgi3", port=0, http=Hasty, ws="none", lifespan="off", log_config=None,
        timeout_keep_alive=1, timeout_graceful_shutdown=1,
    )  # fmt: skip
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    made.state = running.server_state
    made.port = running.servers[0].sockets[0].getsockname()[1]
    yield made
    running.should_exit = True
    await task


@pytest.mark.parametrize(
    "said",
    [b"", b"G", b"GET /v1/x HTTP/1.1\r\nHost: x\r\n", b"\r\n", GET + b"\r\n", GET + b"G"],
    ids=["nothing", "a letter", "half a head", "an empty line", "one after a request", "one more"],
)
async def test_a_connection_that_says_no_more_is_hung_up_on(server: Server, said: bytes) -> None:
    got = await server.said(said)
    assert got.count(b"HTTP/1.1 200") == said.count(b"GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n")


async def test_a_head_that_drips_does_not_win_time(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /v1/x HTTP/1.1\r\n")
    ended = asyncio.create_task(reader.read())
    async with asyncio.timeout(10):
        while not ended.done():
            writer.write(b"x: y\r\n")
            await asyncio.sleep(0.05)
    assert ended.result() == b""
    writer.close()


async def test_empty_lines_keep_no_connection_open(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(GET)
    await reader.readuntil(b"\r\n\r\n0")
    ended = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            while not ended.done():
                writer.write(b"\r\n")
                await asyncio.sleep(0.05)
    writer.close()


async def test_a_body_that_drips_after_its_answer_is_not_waited_for_long(server: Server) -> None:
    server.early = True
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(POST.replace(b": 10", b": 100000"))
    assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
    ended = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        async with asyncio.timeout(10):
            while not ended.done():
                writer.write(b"x")
                await asyncio.sleep(0.05)
    writer.close()


async def test_an_answer_that_is_not_taken_is_broken_off(server: Server) -> None:
    client = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", server.port))
    client.send(GET.replace(b"/x", b"/large"))
    async with asyncio.timeout(10):
        while not server.seen or server.open:
            await asyncio.sleep(0.05)
    client.close()


async def test_an_answer_that_is_taken_slowly_is_given_whole(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=65_536)
    writer.write(GET.replace(b"/x", b"/large"))
    got = len(await reader.readuntil(b"\r\n\r\n")) * 0
    async with asyncio.timeout(30):
        while got < LARGE:
            got += len(await reader.read(400_000))
            await asyncio.sleep(0.02)
    writer.close()


async def test_trailers_are_no_headers(server: Server) -> None:
    request = CHUNKED + b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\nIf-Match: *\r\n\r\n"
    got = await server.said(request)
    assert got.startswith(b"HTTP/1.1 200")
    [(headers, body, refusal)] = server.seen
    assert (body, refusal) == (b"a", None)
    assert {name for name, _ in headers} == {b"host", b"transfer-encoding"}


ENDLESS = {
    "a head": b"GET /v1/x HTTP/1.1\r\nx: ",
    "a path": b"GET /v1/",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nx: ",
    "a chunk's extension": CHUNKED + b"1;x=",
}


@pytest.mark.parametrize("said", ENDLESS.values(), ids=ENDLESS.keys())
async def test_what_has_no_end_is_refused_once_and_read_no_further(
    server: Server, said: bytes
) -> None:
    server_said = await server.said(said, *[b"y" * (UNREAD_BYTES // 2)] * 8)
    assert server_said.count(b"HTTP/1.1 ") == 1, server_said
    if server.seen:  # the door would have said no
        assert server.seen[0][2] == 431
    else:
        assert server_said.startswith(b"HTTP/1.1 431")


BROKEN = {
    "a chunk's size": CHUNKED + b"zz\r\n",
    "a chunk without an end": CHUNKED + b"1\r\nabc",
    "two lengths": POST.replace(b"Host", b"Content-Length: 2\r\nHost"),
    "a length and chunks": POST.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"),
    "chunks and a length": CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"),
    "an unknown coding": CHUNKED.replace(b"chunked", b"chunked, identity"),
    "a coding with a blank": CHUNKED.replace(b"Encoding:", b"Encoding :"),
    "a length with a sign": POST.replace(b": 10", b": +10"),
    "a length in hex": POST.replace(b": 10", b": 0x1"),
    "a length beyond numbers": POST.replace(b": 10", b": " + b"9" * 40),
    "a folded header": GET.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n"),
    "a bare line feed": GET.replace(b"\r\n", b"\n"),
    "a bare return": GET.replace(b": x", b": x\rX-Other: y"),
    "a NUL": GET.replace(b": x", b": \0"),
    "version 0.9": b"GET /v1/x\r\n\r\n",
    "version 2.0": GET.replace(b"1.1", b"2.0"),
    "version 9.9": GET.replace(b"1.1", b"9.9"),
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
async def test_what_two_readers_might_read_differently_is_refused_and_nothing_follows_it(
    server: Server, said: bytes
) -> None:
    got = await server.said(said + GET)
    assert got.count(b"HTTP/1.1 ") == 1, got
    assert [refusal for _, _, refusal in server.seen] == [400]


async def test_what_follows_a_whole_request_does_not_overtake_its_answer(server: Server) -> None:
    got = await server.said(GET + GET + b"\x16\x03\x01 nonsense\r\n\r\n")
    assert got.count(b"HTTP/1.1 200") == 2, got
    assert got.count(b"HTTP/1.1 ") == 2


async def test_a_stalled_connection_holds_nobody_up(server: Server) -> None:
    stalled = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
    for _, writer in stalled:
        writer.write(CHUNKED + b"5\r\nab")
    async with asyncio.timeout(10):
        for _ in range(20):
            got = await server.said(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert got.startswith(b"HTTP/1.1 200")
    for _, writer in stalled:
        writer.transport.abort()
