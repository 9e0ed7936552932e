"""Reads a request's body whole, within the size and the time that the house allows."""

import asyncio

from ai_agent_mesh.api.exchange import Exchange, Receive
from ai_agent_mesh.kernel.errors import Invalid

#: A body that takes longer than this to arrive is given up.
PATIENCE_S = 30


class BodyTooLarge(Invalid):
    """The body is larger than {limit_bytes} bytes."""


class UnsupportedEncoding(Invalid):
    """Send the body as it is: Content-Encoding {encoding} is not accepted."""


class RequestTimedOut(Invalid):
    """The body did not arrive within {patience_s} seconds."""


class RequestCutOff(Invalid):
    """The connection closed before the body was whole."""


class LengthUnclear(Invalid):
    """Content-Length is not a number."""


async def read(exchange: Exchange, receive: Receive, limit_bytes: int) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it is longer than `limit_bytes`, said or sent.
        UnsupportedEncoding: it is compressed.
        RequestTimedOut, RequestCutOff, LengthUnclear: it cannot be had.
    """
    encoding = exchange.header(b"content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise UnsupportedEncoding(encoding=encoding[:40])
    length = exchange.header(b"content-length")
    if length is not None and not length.isdigit():
        raise LengthUnclear
    if length is not None and int(length) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    if length is None and exchange.method in {"GET", "HEAD"}:
        return b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _collect(receive, limit_bytes)
    except TimeoutError:
        raise RequestTimedOut(patience_s=PATIENCE_S) from None


async def _collect(receive: Receive, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestCutOff
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes=limit_bytes)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
