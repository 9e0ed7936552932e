"""A response body that stops: after so many bytes once decompressed, or when its time is up."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

import httpx

from ai_agent_mesh.plumbing.http.outbound.facts import AnswerTooLarge, AnswerUnreadable

GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class BoundedBody(httpx.AsyncByteStream):
    """Decode here rather than in httpx, which inflates each chunk whole before anyone can count."""

    def __init__(
        self,
        response: httpx.Response,
        *,
        host: str,
        encoding: str,
        limit_bytes: int,
        deadline: float,
        outside: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._response = response
        self._host = host
        self._encoding = encoding.strip().lower()
        self._left = limit_bytes
        self._limit_bytes = limit_bytes
        self._deadline = deadline
        self._outside = outside

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield decoded bytes; AnswerTooLarge, AnswerTimedOut or AnswerUnreadable end it early."""
        inflate = self._decoder()
        async for chunk in self._timed():
            plain = inflate(chunk)
            self._left -= len(plain)
            if self._left < 0:
                raise AnswerTooLarge(host=self._host, limit_bytes=self._limit_bytes)
            if plain:
                yield plain

    async def _timed(self) -> AsyncIterator[bytes]:
        chunks = self._response.aiter_raw()
        while True:
            with self._outside():
                try:
                    async with asyncio.timeout_at(self._deadline):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk

    def _decoder(self) -> Callable[[bytes], bytes]:
        if self._encoding in ("", "identity"):
            return bytes
        if self._encoding not in ("gzip", "x-gzip", "deflate"):
            reason = f"it is encoded as {self._encoding[:40]}, which was not asked for"
            raise AnswerUnreadable(host=self._host, reason=reason)
        machine = zlib.decompressobj(GZIP_OR_ZLIB)

        def inflate(chunk: bytes) -> bytes:
            try:
                # One byte past what is left is enough to know, whatever the chunk would grow to.
                return machine.decompress(chunk, self._left + 1)
            except zlib.error as error:
                reason = "its compression is damaged"
                raise AnswerUnreadable(host=self._host, reason=reason) from error

        return inflate

    async def aclose(self) -> None:
        """Give the connection back, or close it when bytes are left on it."""
        await self._response.aclose()
