"""Waits until something is so, and ends the demo when it never comes or is not as promised."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ai_agent_mesh.kernel.errors import Unavailable

T = TypeVar("T")
PATIENCE_S = 60.0


class PromiseBroken(Unavailable):
    """The story did not come out as promised: {reason}."""


async def until(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Look five times a second until there is something to see, and return it.

    Raises:
        PromiseBroken: a minute has passed.
    """
    over = time.monotonic() + PATIENCE_S
    while time.monotonic() < over:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.2)
    raise PromiseBroken(reason=f"waited {PATIENCE_S:.0f} s for {what}")


def must(holds: object, otherwise: str) -> None:
    """Go on only when it holds.

    Raises:
        PromiseBroken: it does not.
    """
    if not holds:
        raise PromiseBroken(reason=otherwise)
