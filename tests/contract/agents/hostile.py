"""A server that means no good: the first part of the path says how.

python -m tests.contract.agents.hostile
"""

import asyncio
import gzip
import json
import re
import sys
from collections.abc import Awaitable, Callable

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 100_000 + b"]" * 100_000
BOMB = gzip.compress(b'"' + b"x" * 100_000_000 + b'"')

NUL = (
    b'{"message":{"messageId":"1","role":"ROLE_AGENT",'
    b'"parts":[{"text":"a\\u0000b"}],"content":"c"}}'
)
CHOICE = b'{"message":{"content":"a\\u0000b"}}'


async def hang(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def slow_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        writer.write(b"x-%d: y\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.05)


async def pour(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'\r\n"')
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def huge(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100000002\r\n\r\n" + b'"')
    for _ in range(1000):
        writer.write(b"x" * 100_000)
        await writer.drain()
    writer.write(b'"')


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b'Content-Length: 1000\r\n\r\n{"jsonrpc":')
    await writer.drain()


async def shut(writer: asyncio.StreamWriter) -> None:
    writer.close()


def saying(body: bytes, extra: bytes = b"") -> Behaviour:
    async def behaviour(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    return behaviour


async def charset(writer: asyncio.StreamWriter) -> None:
    body = b"xyz"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=zlib_codec\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()


async def elsewhere(writer: asyncio.StreamWriter) -> None:
    writer.write(
        b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
        b"Location: http://169.254.169.254/latest/meta-data/\r\n\r\n"
    )
    await writer.drain()


BEHAVIOURS: dict[str, Behaviour] = {
    "hang": hang,
    "charset": charset,
    "drip": drip,
    "slow-head": slow_head,
    "pour": pour,
    "huge": huge,
    "half": half,
    "shut": shut,
    "elsewhere": elsewhere,
    "bomb": saying(BOMB, b"Content-Encoding: gzip\r\n"),
    "deep": saying(DEEP),
    "garbage": saying(b"<html>not JSON</html>"),
    "nul": saying(
        b'{"jsonrpc":"2.0","id":1,"result":%b,"choices":[%b],%b' % (NUL, CHOICE, NUL[1:])
    ),
    "surrogate": saying(b'{"jsonrpc":"2.0","id":1,"result":"\\ud800","choices":"\\ud800"}'),
    "number": saying(b'{"jsonrpc":"2.0","id":1,"result":1e400,"choices":' + b"9" * 5000 + b"}"),
    "list": saying(b"[1, 2, 3]"),
    "wrong": saying(b'{"jsonrpc": "2.0", "id": 1, "result": [1], "choices": 7}'),
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Behave as the path says."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        name = head.split(b" ", 2)[1].decode().strip("/").split("/")[0]
        length = re.search(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(length[1]) if length else 0)
        await BEHAVIOURS[name](writer)
    except (ConnectionError, asyncio.IncompleteReadError, KeyError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Listen on a free port and print the address."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
