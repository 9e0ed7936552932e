"""Lists in pages: a limit, and an opaque cursor that says after which row the next page begins."""

import base64
import binascii
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from ai_agent_mesh.kernel.errors import Fault, Invalid

MOST = 200
USUAL = 50

T = TypeVar("T")


class MalformedPage(Invalid):
    """The page asked for is not one of this list."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted: at most `limit` rows after the row keyed `after`."""

    limit: int = USUAL
    after: str | None = None


class Paged(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list, and the cursor of the next one (null at the end)."""

    items: Sequence[T]
    next_cursor: str | None = None


def page_of(limit: int | None = None, cursor: str | None = None) -> Page:
    """Read a page from a request's `limit` (1 to 200) and `cursor`.

    Raises:
        MalformedPage: the limit is out of range, or the cursor is not one that we gave.
    """
    if limit is not None and not 1 <= limit <= MOST:
        raise MalformedPage(faults=[Fault("limit", f"must be from 1 to {MOST}")])
    return Page(USUAL if limit is None else limit, None if cursor is None else _opened(cursor))


def paged(rows: Sequence[T], page: Page, key: Callable[[T], str]) -> Paged[T]:
    """Cut `rows` to a page; give one row more than the limit, so that the end is known."""
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return Paged(shown, _sealed(key(shown[-1])) if more and shown else None)


def _sealed(key: str) -> str:
    raw = key.encode()
    return base64.urlsafe_b64encode(_check(raw) + raw).decode().rstrip("=")


def _check(raw: bytes) -> bytes:
    """Return what tells a cursor of ours from a text that somebody made up."""
    return zlib.crc32(raw).to_bytes(4, "big")


def _opened(cursor: str) -> str:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
        key = sealed[4:].decode()
    except (ValueError, binascii.Error):
        key = ""
    if not key or not key.isprintable() or sealed[:4] != _check(sealed[4:]):
        raise MalformedPage(faults=[Fault("cursor", "must be a next_cursor of this list")])
    return key
