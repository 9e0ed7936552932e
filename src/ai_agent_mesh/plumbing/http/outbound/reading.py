"""What an answer from outside is read as: its text, its JSON, and nothing that cannot be kept."""

from typing import Any, TypeVar

import httpx
import msgspec

from ai_agent_mesh.plumbing.http.outbound.facts import AnswerUnreadable

Json = Any  # whatever JSON the outside sends
T = TypeVar("T")

_EXCERPT = 200


def said(response: httpx.Response, kind: type[T]) -> T:
    """Read the body as JSON of a kind; AnswerUnreadable says why it is not."""
    host = response.url.host
    try:
        value = msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerUnreadable(host=host, reason=f"not the JSON expected: {error}") from error
    if b"\\u0000" in response.content:
        wholesome(msgspec.to_builtins(value), host)
    return value


def wholesome(value: Json, host: str) -> Json:
    """Return a value that can be kept; PostgreSQL keeps no text with a NUL in it."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str) and "\0" in each:
            raise AnswerUnreadable(host=host, reason="a text in it holds a NUL character")
        if isinstance(each, dict):
            pending += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            pending += each
    return value


def words(response: httpx.Response) -> str:
    """Return the body as text.

    Always as UTF-8: a charset that the answer names would be a codec of Python's that the sender
    chooses, and some of those decompress, or give something else than text.
    """
    return response.content.decode("utf-8", "replace")


def excerpt(body: str) -> str:
    """Return the beginning of a body as one printable line."""
    line = " ".join(body[: 4 * _EXCERPT].split())
    return "".join(sign for sign in line if sign.isprintable())[:_EXCERPT]
