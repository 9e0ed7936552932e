"""Reads a request's body whole, within the size, time and shape that the house allows."""

import asyncio
import re

from ai_agent_mesh.api.exchange import Exchange, Receive
from ai_agent_mesh.api.facts import UnsupportedMediaType
from ai_agent_mesh.kernel.errors import Invalid

#: A body that takes longer than this to arrive is given up.
PATIENCE_S = 30
#: JSON nested deeper than this is refused before anything is built of it.
DEEPEST = 100

_JSON = re.compile(r"application/(?:[a-z0-9!#$&^_.+-]+\+)?json", re.ASCII)
# A whole string, or one bracket outside of any.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


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


class NotUtf8(Invalid):
    """The body is not UTF-8 text: the byte at offset {offset} fits nowhere."""


class TooDeep(Invalid):
    """The body is nested deeper than {deepest} levels."""


def announced(exchange: Exchange, limit_bytes: int) -> None:
    """Refuse a body by what its headers say, before any of it is read.

    Raises:
        BodyTooLarge: it says that it is longer than `limit_bytes`.
        UnsupportedEncoding: it is compressed.
        LengthUnclear: its length is not a number.
    """
    encoding = exchange.header(b"content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise UnsupportedEncoding(encoding=encoding[:40])
    length = exchange.header(b"content-length")
    if length is None:
        return
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise LengthUnclear
    if int(length) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)


async def read(exchange: Exchange, receive: Receive, limit_bytes: int) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it is longer than `limit_bytes`.
        RequestTimedOut, RequestCutOff, MalformedRequest: it cannot be had.
    """
    if exchange.method in {"GET", "HEAD"} and exchange.header(b"content-length") is None:
        return b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            body = await _collect(receive, limit_bytes)
    except TimeoutError:
        raise RequestTimedOut(patience_s=PATIENCE_S) from None
    exchange.check_whole()  # the connection may have given up on it meanwhile
    return body


def check_json(exchange: Exchange) -> None:
    """Refuse a body that cannot be JSON, before a parser meets it.

    Raises:
        UnsupportedMediaType: it says that it is something else.
        NotUtf8: it is not text.
        TooDeep: it is nested deeper than `DEEPEST`.
    """
    body = exchange.body
    if not body:
        return
    kind = exchange.header(b"content-type")
    if kind is not None and not _JSON.fullmatch(kind.partition(";")[0].strip().lower()):
        raise UnsupportedMediaType
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(offset=error.start) from None
    if _deep(body):
        raise TooDeep(deepest=DEEPEST)


def _deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in {b"[", b"{"}:
            depth += 1
            if depth > DEEPEST:
                return True
        elif mark in {b"]", b"}"}:
            depth -= 1
    return False


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
