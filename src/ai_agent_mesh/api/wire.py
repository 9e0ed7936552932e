"""The HTTP/1.1 connection under the door: bounds what comes in before there is a request at all.

What cannot be read as a request, but says that it is for a counted path, is handed to the door to
be refused there, with an entry and a receipt; the rest is answered here, for it is no call.
"""

import asyncio
from http import HTTPStatus
from urllib.parse import unquote

import httptools
import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ai_agent_mesh.api.table import counted
from ai_agent_mesh.plumbing.http.problems import MEDIA_TYPE

#: What is kept of a head that has not ended, and read without any of a body coming of it.
UNREAD_BYTES = 262_144

_LINES = {
    400: ("Malformed request", "This is not an HTTP/1.1 request."),
    431: ("Headers too large", "The request's head is too large."),
}


class Wire(HttpToolsProtocol):
    """One connection. What does not come, or does not end, is given up."""

    #: A connection has this long to say a whole request head.
    patience_s = 30.0
    #: So long after an answer the rest of its request, or its being read, is waited for.
    linger_s = 5.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._unread = 0
        self._in_head = True
        self.deaf = False
        self._timer: asyncio.TimerHandle | None = None
        self._wait(self.patience_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless nothing comes of it."""
        if self.deaf:
            return
        self._unread += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unread > UNREAD_BYTES:
            self._refuse(431)
        elif self._timer is None and self._idle:  # empty lines before a request, say
            self._wait(self.patience_s)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head."""
        super().on_message_begin()
        self._in_head = True
        self._wait(self.patience_s)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is none (RFC 9110, 6.5.1), and nobody here asks for one."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise ValueError("not a version of HTTP that is spoken here")
        super().on_headers_complete()
        # For the door, which ends what nobody reads any more, or breaks off what it cannot end.
        self.scope["mesh.transport"] = self.transport  # type: ignore[typeddict-unknown-key] # ours
        self._in_head = False
        self._unread = 0
        self._rest()
        if not self.cycle.keep_alive:
            self._gently(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Count what comes."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._unread = 0
        super().on_message_complete()
        if self._idle:  # it was answered before
            self._wait(self.linger_s)

    def on_response_complete(self) -> None:
        """Wait for the next request, or not for long for the rest of this one."""
        super().on_response_complete()
        if self._idle and (self.cycle.more_body or self.transport.is_closing()):
            self._wait(self.linger_s)

    def timeout_keep_alive_handler(self) -> None:
        """End what was kept open for a next request."""
        if not self.transport.is_closing():
            self._hang_up()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what cannot be read."""
        self._refuse(400)

    def part(self) -> None:
        """Say that nothing more is said, and hear the other side out for a while.

        Closing at once would tear the answer away from a client that is still sending.
        """
        self.deaf = True
        if self.transport.is_closing():
            return
        self.transport.write_eof()
        self._wait(self.linger_s)

    def _gently(self, cycle: RequestResponseCycle) -> None:
        cycle.transport = _Parting(self, cycle)  # type: ignore[assignment] # all that a cycle uses

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._rest()
        self._timer = self.loop.call_later(seconds, self._hang_up)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _hang_up(self) -> None:
        """Close, as soon as what was said is taken."""
        self._rest()
        self.transport.close()
        self._break_off(self.transport.get_write_buffer_size())

    def _break_off(self, left: int) -> None:
        """Look from time to time whether more of an answer is taken, and end it when none is."""

        def look() -> None:
            now = self.transport.get_write_buffer_size()
            if 0 < now < left:
                self._break_off(now)
            else:
                self.transport.abort()

        self._timer = self.loop.call_later(self.linger_s, look)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: an upgrade that we do not know is an ordinary request (RFC 9110, 7.8)."""

    def _refuse(self, status: int) -> None:
        """Answer what cannot be read, once, and after what was asked before it."""
        self.deaf = True
        self._rest()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            if self._in_head and self._to_the_door(status):
                return
            if self._in_head:
                self._answer(status)
            self.part()
            return
        cycle.keep_alive = False
        self._gently(cycle)
        if cycle.more_body:  # the rest of its body will not come
            cycle.scope["mesh.refusal"] = status  # type: ignore[typeddict-unknown-key] # the door's
            cycle.more_body = False
            cycle.message_event.set()

    def _to_the_door(self, status: int) -> bool:
        """Hand over what is known of a request whose head cannot be read; tell whether it was."""
        try:
            raw = httptools.parse_url(self.url).path
            path = unquote(raw.decode("ascii"))
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError, AttributeError):
            return False
        if not counted(path):
            return False
        method = self.parser.get_method().decode("ascii")
        self.scope |= {"method": method, "path": path, "raw_path": raw, "query_string": b""}
        self.scope["mesh.refusal"] = status  # type: ignore[typeddict-unknown-key] # the door's
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self.cycle.more_body = False
        self.cycle.message_event.set()
        self._gently(self.cycle)
        self._start_asgi_task(self.cycle, self.app)
        return True

    def _answer(self, status: int) -> None:
        title, detail = _LINES[status]
        kind = f"/problems/{title.lower().replace(' ', '-')}"
        problem = {"type": kind, "title": title, "status": status, "detail": detail}
        body = msgspec.json.encode(problem)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)


class _Parting:
    """A transport whose closing lets the other side finish, where it has not."""

    def __init__(self, wire: Wire, cycle: RequestResponseCycle) -> None:
        self._wire = wire
        self._cycle = cycle
        self.write = wire.transport.write
        self.is_closing = wire.transport.is_closing

    def close(self) -> None:
        """Close at once after a whole request, and gently otherwise."""
        if self._cycle.more_body or self._wire.deaf:
            self._wire.part()
        else:
            self._wire.transport.close()
