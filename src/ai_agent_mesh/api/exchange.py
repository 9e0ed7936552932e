"""One request and its answer, as the door sees them."""

import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from ai_agent_mesh.api.facts import HeaderRepeated, HeadersTooLarge, MalformedRequest
from ai_agent_mesh.api.table import NOTHING, Match, inner_path
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Stream, Unit, problem_of
from ai_agent_mesh.plumbing.http.problems import MEDIA_TYPE
from ai_agent_mesh.plumbing.observe import Trace
from ai_agent_mesh.product.identity import Allowance, Principal

# The shapes that ASGI fixes; their values are of any type.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: A request's headers may be so many, and so large together.
MOST_HEADERS = 200
HEAD_BYTES = 65_536

# Where a second value would leave open which of the two is meant.
_SINGLE = frozenset(
    {b"authorization", b"content-encoding", b"content-length", b"content-type"}
    | {b"host", b"idempotency-key", b"if-match"}
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.\-]{1,64}")


@dataclass(slots=True)
class Answer:
    """A whole response, held back until its ledger entry is durable."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    reason: str | None = None
    #: What the body is, where it is not held whole.
    stream: Stream | None = None

    @classmethod
    def of_fact(cls, fact: Fact, instance: str) -> "Answer":
        """Return the problem document of a fact."""
        problem = problem_of(fact, instance)
        body = problem.encode()
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        if problem.status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="mesh"'))
        return cls(problem.status, headers, body, problem.type.rpartition("/")[2])

    async def begin(self, send: Send) -> None:
        """Send the head; of a stream nobody knows the length yet."""
        headers = [pair for pair in self.headers if pair[0] != b"content-length"]
        if self.status not in {204, 304} and self.stream is None:
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def send(self, send: Send, *, bodiless: bool) -> None:
        """Send it, and no stream; a HEAD request gets the headers alone."""
        await self.begin(send)
        await send({"type": "http.response.body", "body": b"" if bodiless else self.body})


@dataclass(slots=True)
class Exchange:
    """What is known of a request as it goes through the door."""

    scope: Scope
    method: str
    path: str
    inner: str
    headers: dict[bytes, bytes]
    client: str
    request_id: str
    trace: Trace
    entry_id: str = field(default_factory=lambda: new_id("ent"))
    started: float = field(default_factory=time.perf_counter)
    match: Match = NOTHING
    principal: Principal | None = None
    allowance: Allowance | None = None
    unit: Unit | None = None
    body: bytes = b""

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        """Read what a request says of itself."""
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else new_id("req")
        client = scope.get("client")
        return cls(
            scope=scope,
            method=scope["method"],
            path=scope["path"],
            inner=inner_path(scope["path"]),
            headers=headers,
            client=client[0] if client else "",
            request_id=request_id,
            trace=Trace.begin(headers.get(b"traceparent", b"").decode("latin-1"), request_id),
        )

    def check_whole(self) -> None:
        """Refuse what the connection could not read as a request.

        Raises:
            MalformedRequest, HeadersTooLarge: as the connection says.
        """
        match self.scope.get("mesh.refusal"):
            case 400:
                raise MalformedRequest
            case 431:
                raise HeadersTooLarge(most=MOST_HEADERS, limit_bytes=HEAD_BYTES)

    def check_headers(self) -> None:
        """Refuse headers that are too many, too large, or say one thing twice.

        Raises:
            HeadersTooLarge, HeaderRepeated: they are.
        """
        given = self.scope["headers"]
        if len(given) > MOST_HEADERS or sum(len(n) + len(v) for n, v in given) > HEAD_BYTES:
            raise HeadersTooLarge(most=MOST_HEADERS, limit_bytes=HEAD_BYTES)
        if len(given) == len(self.headers):
            return
        seen = set()
        for name, _ in given:
            if name in seen and name in _SINGLE:
                raise HeaderRepeated(header=name.decode("latin-1"))
            seen.add(name)

    def header(self, name: bytes) -> str | None:
        """Return a header's text, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def reads(self) -> bool:
        """Tell whether the request may change nothing."""
        return self.method in {"GET", "HEAD"}

    @property
    def elapsed_us(self) -> int:
        """Return microseconds since the request came in."""
        return int((time.perf_counter() - self.started) * 1_000_000)
