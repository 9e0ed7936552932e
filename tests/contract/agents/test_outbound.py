"""The guarded client against real sockets: what it reaches, and what it believes."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.http.outbound import (
    AddressPolicy,
    AddressRefused,
    AnswerTimedOut,
    AnswerTooLarge,
    AnswerUnreadable,
    ConnectionBroken,
    NameUnknown,
    RedirectRefused,
    Resolver,
    TooManyRedirects,
    Unreachable,
    UpstreamFailed,
    guarded_client,
)

LOOPBACK = AddressPolicy.parse(["127.0.0.0/8"])
Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[int]:
    """Serve each connection by a script that sees the request and writes raw bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await script(head, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(text: str, body: bytes = b"") -> Script:
    """Write one fixed answer."""

    async def script(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(text.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return script


def client(
    policy: AddressPolicy = LOOPBACK,
    limit: int = 1000,
    total_s: float = 2.0,
    resolver: Resolver | None = None,
) -> httpx.AsyncClient:
    """Make a guarded client with small bounds."""

    async def here(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    return guarded_client(
        policy, body_limit_bytes=limit, total_s=total_s, resolver=resolver or here
    )


async def test_a_name_is_dialled_by_its_checked_address_and_keeps_its_host() -> None:
    seen: list[bytes] = []

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head)
        await saying("HTTP/1.1 200 OK\nContent-Length: 2", b"ok")(head, writer)

    async with listening(script) as port, client() as http:
        answer = await http.get(f"http://agent.example:{port}/")
    assert answer.text == "ok"
    assert f"host: agent.example:{port}".encode() in seen[0].lower()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"],
)
async def test_every_spelling_of_this_machine_is_refused_by_default(host: str) -> None:
    async with guarded_client(AddressPolicy(), body_limit_bytes=10) as http:
        with pytest.raises(AddressRefused) as raised:
            await http.get(f"http://{host}:9/")
    assert "loopback" in raised.value.detail


async def test_a_name_with_one_inward_address_is_refused_whole() -> None:
    async def both(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.216.34", "10.0.0.5"]

    async with client(AddressPolicy(), resolver=both) as http:
        with pytest.raises(AddressRefused):
            await http.get("http://agent.example/")


async def test_a_name_that_turns_inward_the_second_time_is_not_reached() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def turning(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    policy = AddressPolicy.parse(["127.0.0.1/32"])
    script = saying("HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close", b"ok")
    async with listening(script) as port, client(policy, resolver=turning) as http:
        first = await http.get(f"http://agent.example:{port}/")
        with pytest.raises(AddressRefused):
            await http.get(f"http://agent.example:{port}/")
    assert first.text == "ok"


async def test_a_name_is_resolved_once_for_a_connection() -> None:
    asked: list[str] = []

    async def counting(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    script = saying("HTTP/1.1 200 OK\nContent-Length: 2", b"ok")
    async with listening(script) as port, client(resolver=counting) as http:
        await http.get(f"http://agent.example:{port}/")
    assert asked == ["agent.example"]


async def test_a_redirect_inward_is_refused() -> None:
    async def by_name(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == "agent.example" else ["169.254.169.254"]

    script = saying("HTTP/1.1 302 Found\nLocation: http://inner.example/\nContent-Length: 0")
    async with listening(script) as port, client(resolver=by_name) as http:
        with pytest.raises(RedirectRefused) as raised:
            await http.get(f"http://agent.example:{port}/")
    assert raised.value.evidence["host"] == "agent.example"
    assert "inner.example has the address 169.254.169.254" in raised.value.detail


async def test_a_redirect_to_another_scheme_is_refused() -> None:
    script = saying("HTTP/1.1 302 Found\nLocation: file:///etc/passwd\nContent-Length: 0")
    async with listening(script) as port, client() as http:
        with pytest.raises(RedirectRefused, match="not file"):
            await http.get(f"http://agent.example:{port}/")


async def test_an_endless_redirect_ends() -> None:
    script = saying("HTTP/1.1 302 Found\nLocation: /again\nContent-Length: 0")
    async with listening(script) as port, client() as http:
        with pytest.raises(TooManyRedirects):
            await http.get(f"http://agent.example:{port}/")


async def test_a_credential_stays_with_its_origin() -> None:
    seen: list[bytes] = []

    async def second(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head.lower())
        await saying("HTTP/1.1 200 OK\nContent-Length: 0")(head, writer)

    async with listening(second) as other:
        away = f"HTTP/1.1 307 Temporary Redirect\nLocation: http://127.0.0.1:{other}/\n"
        async with listening(saying(away + "Content-Length: 0")) as port, client() as http:
            headers = {"Authorization": "Bearer s3", "X-Api-Key": "s3", "traceparent": "00-1"}
            await http.post(f"http://127.0.0.1:{port}/", json={"a": 1}, headers=headers)
    assert b"s3" not in seen[0]
    assert b"traceparent" in seen[0]
    assert seen[0].startswith(b"post")


async def test_a_redirect_that_would_turn_a_message_into_a_read_is_not_followed() -> None:
    script = saying("HTTP/1.1 303 See Other\nLocation: /other\nContent-Length: 0")
    async with listening(script) as port, client() as http:
        answer = await http.post(f"http://127.0.0.1:{port}/", json={})
    assert answer.status_code == 303


async def test_a_cookie_is_not_carried_from_one_call_to_the_next() -> None:
    seen: list[bytes] = []

    async def script(head: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(head.lower())
        text = "HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Length: 0\nConnection: close"
        await saying(text)(head, writer)

    async with listening(script) as port, client() as http:
        await http.get(f"http://127.0.0.1:{port}/")
        await http.get(f"http://127.0.0.1:{port}/")
    assert b"cookie" not in seen[1]


async def drip(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(900):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_headers(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(900):
        writer.write(f"x-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.05)


async def hang(_head: bytes, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def half(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nonly this")
    await writer.drain()


async def endless(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


BOMB = gzip.compress(bytes(100_000_000))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (hang, AnswerTimedOut),
        (drip, AnswerTimedOut),
        (drip_headers, AnswerTimedOut),
        (half, ConnectionBroken),
        (endless, AnswerTooLarge),
        (saying("HTTP/1.1 200 OK\nContent-Encoding: gzip", BOMB), AnswerTooLarge),
        (saying("HTTP/1.1 200 OK\nContent-Encoding: gzip", b"not gzip"), AnswerUnreadable),
        (saying("HTTP/1.1 200 OK\nContent-Encoding: br", b"x"), AnswerUnreadable),
        (saying("this is not HTTP", b"at all"), AnswerUnreadable),
        (saying("HTTP/1.1 200 OK\nX-Long: " + "y" * 300_000), AnswerUnreadable),
    ],
)
async def test_a_hostile_answer_is_bounded_and_named(script: Script, expected: type[Fact]) -> None:
    since = time.monotonic()
    async with listening(script) as port, client(total_s=0.5) as http:
        with pytest.raises(expected) as raised:
            await http.get(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - since < 1.5
    assert isinstance(raised.value, UpstreamFailed)
    assert raised.value.sent


async def test_an_honest_compressed_answer_is_read() -> None:
    script = saying("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b'{"a":1}'))
    async with listening(script) as port, client() as http:
        assert (await http.get(f"http://127.0.0.1:{port}/")).json() == {"a": 1}


async def test_a_requests_own_timeout_bounds_the_whole_exchange() -> None:
    since = time.monotonic()
    async with listening(drip) as port, client(total_s=20) as http:
        with pytest.raises(AnswerTimedOut):
            await http.get(f"http://127.0.0.1:{port}/", timeout=0.3)
    assert time.monotonic() - since < 1.5


async def test_a_closed_port_is_unreachable_and_nothing_was_sent() -> None:
    async with listening(hang) as port:
        pass
    async with client() as http:
        with pytest.raises(Unreachable) as raised:
            await http.get(f"http://127.0.0.1:{port}/")
    assert not raised.value.sent


async def test_a_name_without_an_address_is_said_to_have_none() -> None:
    async def none(_host: str, _port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    async with client(resolver=none) as http:
        with pytest.raises(NameUnknown) as raised:
            await http.get("http://agent.example/")
    assert "Name or service not known" in raised.value.detail
