"""How a command reads a whole list that comes in pages."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ai_agent_mesh.plumbing.http import Page, Paged, page_of

T = TypeVar("T")

_AT_ONCE = 200


async def every(read: Callable[[Page], Awaitable[Paged[T]]]) -> list[T]:
    """Return the items of all pages, in the list's order."""
    found: list[T] = []
    page = page_of(_AT_ONCE)
    while True:
        part = await read(page)
        found += part.items
        if part.next_cursor is None:
            return found
        page = page_of(_AT_ONCE, part.next_cursor)
