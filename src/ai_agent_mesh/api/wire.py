"""The HTTP/1.1 connection under the door: bounds what comes in before there is a request at all."""

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ai_agent_mesh.plumbing.http.problems import MEDIA_TYPE

#: A connection has this long to say a whole request head.
PATIENCE_S = 30
#: What is kept of a head that has not ended; the door's own limit is lower, and has a receipt.
UNREAD_BYTES = 262_144

_LINES = {
    400: ("Malformed request", "This is not an HTTP/1.1 request."),
    431: ("Headers too large", "The request's head is too large."),
}


class Wire(HttpToolsProtocol):
    """One connection. A head that does not come, or does not end, is given up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._unread = 0
        self._in_head = True
        self._patience = self.loop.call_later(PATIENCE_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._patience.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has grown too large."""
        if self._in_head:
            self._unread += len(data)
        super().data_received(data)
        if self._in_head and self._unread > UNREAD_BYTES and not self.transport.is_closing():
            self._refuse(431)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head."""
        super().on_message_begin()
        self._in_head = True
        self._patience.cancel()
        self._patience = self.loop.call_later(PATIENCE_S, self.transport.close)

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        self._in_head = False
        self._unread = 0
        self._patience.cancel()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what cannot be read."""
        self._refuse(400)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: an upgrade that we do not know is an ordinary request (RFC 9110, 7.8)."""

    def _refuse(self, status: int) -> None:
        title, detail = _LINES[status]
        kind = f"/problems/{title.lower().replace(' ', '-')}"
        problem = {"type": kind, "title": title, "status": status, "detail": detail}
        body = msgspec.json.encode(problem)
        head = (
            f"HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
