"""A compressed answer cannot grow in memory before anyone counts."""

import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import nullcontext

import httpx
import pytest

from ai_agent_mesh.plumbing.http.outbound import AnswerTooLarge
from ai_agent_mesh.plumbing.http.outbound.body import BoundedBody


class OneChunk(httpx.AsyncByteStream):
    """A body that arrives in one piece."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._chunk


async def test_a_bomb_in_one_chunk_is_not_inflated_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    body = BoundedBody(
        httpx.Response(200, stream=OneChunk(bomb)),
        host="agent.example",
        encoding="gzip",
        limit_bytes=100_000,
        deadline=time.monotonic() + 5,
        outside=nullcontext,
    )
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge):
            async for _ in body:
                pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5_000_000
