"""An answer that is too long to be held whole: its bytes as they come."""

from collections.abc import AsyncGenerator, AsyncIterator


class Stream:
    """Parts of an answer's body, taken one after the other, once."""

    def __init__(self, parts: AsyncGenerator[bytes, None], first: bytes) -> None:
        self._parts, self._first = parts, first

    @classmethod
    async def begun(cls, parts: AsyncGenerator[bytes, None]) -> "Stream":
        """Return a stream whose first part is there: what cannot begin raises here."""
        return cls(parts, await anext(parts, b""))

    async def chunks(self, size: int) -> AsyncIterator[bytes]:
        """Yield all of it in pieces of at least `size` bytes, but the last one."""
        held, length = [self._first], len(self._first)
        async for part in self._parts:
            held.append(part)
            length += len(part)
            if length >= size:
                yield b"".join(held)
                held, length = [], 0
        if held:
            yield b"".join(held)

    async def close(self) -> None:
        """Let go of what it is made from."""
        await self._parts.aclose()
