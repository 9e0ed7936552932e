"""Answers that are sent as they come to be: after their entry, and never for ever.

A stream's `call` is durable before its first byte. When it is over, whole or not, an entry of the
kind `stream_closed` says how, and names the call. A reader who takes nothing is hung up on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from ai_agent_mesh.api.exchange import Answer, Exchange, Receive, Send
from ai_agent_mesh.api.facts import StreamsTaken
from ai_agent_mesh.api.ports import Wiring
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Stream
from ai_agent_mesh.product.ledger import Entry, Kind

log = structlog.get_logger(__name__)

CHUNK_BYTES = 65_536
#: So many streams of one tenant go on at once in a process.
AT_ONCE = 2
#: After hanging up, the connection's end is waited for so long.
_END_S = 1


class Outcome(StrEnum):
    """How a stream ended."""

    #: All of it was handed to the connection.
    WHOLE = "whole"
    #: The reader went away before that.
    LEFT = "left"
    #: The reader took nothing for too long, and was hung up on.
    STALLED = "stalled"
    #: We broke it off.
    BROKEN = "broken"


class Streams:
    """The streams of one process. `book` makes an entry durable."""

    #: A reader has this long to take a chunk.
    patience_s = 30.0

    def __init__(self, mesh: Wiring, book: Callable[[Entry], Awaitable[None]]) -> None:
        self._mesh = mesh
        self._book = book
        self._of_tenant: dict[str, set[str]] = {}
        self._pouring: set[asyncio.Task[object]] = set()

    def admit(self, exchange: Exchange) -> Stream | None:
        """Return the stream that is to be sent, if the answer is one; until `end` it has its place.

        Raises:
            StreamsTaken: the tenant has as many as it may.
        """
        stream, principal = _stream_of(exchange), exchange.principal
        if stream is None or principal is None:
            return None
        taken = self._of_tenant.setdefault(principal.tenant_id, set())
        if len(taken) >= AT_ONCE:
            raise StreamsTaken(most=AT_ONCE)
        taken.add(exchange.entry_id)
        return stream

    async def end(self, exchange: Exchange) -> None:
        """Let go of an exchange's stream and its place, if it has one."""
        stream, principal = _stream_of(exchange), exchange.principal
        if stream is None or principal is None:
            return
        taken = self._of_tenant.get(principal.tenant_id, set())
        taken.discard(exchange.entry_id)
        if not taken:
            self._of_tenant.pop(principal.tenant_id, None)
        await stream.close()

    async def pour(self, exchange: Exchange, answer: Answer, receive: Receive, send: Send) -> None:
        """Send an answer's head and then its stream, to its end or the reader's."""
        task = asyncio.current_task()
        assert task and answer.stream  # noqa: S101, PT018 - a stream is sent by a request's task
        self._pouring.add(task)
        transport = exchange.scope.get("mesh.transport")
        pouring = _Pouring(answer.stream, receive, send, transport, self.patience_s)
        try:
            await answer.begin(send)
            await pouring.run()
        except Exception:
            log.exception("stream.broken", route=exchange.path)
        finally:
            # Also when this process is told to stop in the midst of it.
            if pouring.outcome is not Outcome.WHOLE:
                await pouring.hang_up()
            pouring.gone.cancel()
            await self._book(self._closed(exchange, pouring))
            self._pouring.discard(task)

    async def close(self) -> None:
        """Wait for what was told to stop until it has said how it ended."""
        if self._pouring:
            await asyncio.wait(self._pouring)

    def _closed(self, exchange: Exchange, pouring: "_Pouring") -> Entry:
        principal, route = exchange.principal, exchange.match.route
        assert principal and route  # noqa: S101, PT018 - nobody else is answered with a stream
        return Entry(
            id=new_id("ent"),
            kind=Kind.STREAM_CLOSED,
            tenant=principal.tenant_id,
            at=self._mesh.clock.now(),
            route=route.name,
            duration_us=exchange.elapsed_us,
            actor=principal.actor_id,
            role=str(principal.role),
            request_id=exchange.request_id,
            trace_id=exchange.trace.trace_id,
            client=exchange.client,
            object=exchange.entry_id,
            playbook=self._mesh.playbook.digest,
            detail={"outcome": pouring.outcome.value, "bytes": str(pouring.bytes)},
        )


class _Pouring:
    """One stream on its way to one reader."""

    def __init__(
        self,
        stream: Stream,
        receive: Receive,
        send: Send,
        transport: asyncio.Transport | None,
        patience_s: float,
    ) -> None:
        self.outcome = Outcome.BROKEN
        self.bytes = 0
        self.gone = asyncio.create_task(_gone(receive))
        self._stream, self._send, self._patience_s = stream, send, patience_s
        self._transport = transport

    async def run(self) -> None:
        """Send it to its end, or the reader's."""
        async for chunk in self._stream.chunks(CHUNK_BYTES):
            if not await self._taken(chunk, more=True):
                return
            self.bytes += len(chunk)
        if await self._taken(b"", more=False):
            self.outcome = Outcome.WHOLE

    async def _taken(self, chunk: bytes, *, more: bool) -> bool:
        """Hand over a chunk, once the one before is on its way; tell whether that went well."""
        # Of a connection with another request waiting on it only the transport tells its end.
        if self.gone.done() or (self._transport and self._transport.is_closing()):
            self.outcome = Outcome.LEFT
            return False
        try:
            async with asyncio.timeout(self._patience_s):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": more})
        except TimeoutError:
            self.outcome = Outcome.STALLED
            return False
        return True

    async def hang_up(self) -> None:
        """End the connection at once, so that no reader takes a part for the whole."""
        if self._transport is not None and not self.gone.done():
            self._transport.abort()
            await asyncio.wait({self.gone}, timeout=_END_S)


def _stream_of(exchange: Exchange) -> Stream | None:
    return None if exchange.unit is None else exchange.unit.stream


async def _gone(receive: Receive) -> None:
    """Return when the reader has gone, or has all of the answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
