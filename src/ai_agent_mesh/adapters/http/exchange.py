"""One request to an agent: what goes along with it, and what its status and its body mean."""

from typing import Any, TypeVar

import httpx
import msgspec

from ai_agent_mesh.plumbing.http.outbound import AnswerUnreadable, UpstreamFailed
from ai_agent_mesh.product.agents import AgentBusy, AgentFailed, AgentRefused, Target

Json = Any  # an agent's JSON is passed on as it is
T = TypeVar("T")

NOT_NOW = frozenset({429, 502, 503, 504})
EXCERPT = 200
CONNECT_S = 5.0


def headers_of(target: Target, idempotency_key: str, traceparent: str | None) -> dict[str, str]:
    """Return what every call carries: the credential, our key for it, and its place in a trace."""
    headers = dict(target.credential.headers) if target.credential else {}
    headers["Idempotency-Key"] = idempotency_key
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: httpx.URL | str,
    *,
    deadline_s: float,
    headers: dict[str, str],
    body: Json = None,
) -> httpx.Response:
    """Send one request and return its whole answer, whatever its status.

    `client` is a guarded one: it holds `deadline_s` over the exchange and raises facts only.
    """
    timeout = httpx.Timeout(deadline_s, connect=min(CONNECT_S, deadline_s))
    content = None if method == "GET" else msgspec.json.encode(body)
    accepted = {"Accept": "application/json", "Content-Type": "application/json"}
    return await client.request(
        method, url, content=content, headers={**accepted, **headers}, timeout=timeout
    )


def checked_status(response: httpx.Response) -> None:
    """Let a success pass; a fact tells apart not now, refused and failed."""
    status = response.status_code
    if 200 <= status < 300:
        return
    raise failure_of(
        response.url.host, status, words(response), response.headers.get("retry-after")
    )


def failure_of(host: str, status: int, body: str, retry_after: str | None) -> UpstreamFailed:
    """Return what a status other than success says about an agent."""
    if status in NOT_NOW:
        seconds = int(retry_after) if retry_after and retry_after.isdecimal() else 0
        return AgentBusy(host=host, status=status, retry_after_s=min(seconds, 3600))
    reason = f"{status} {excerpt(body)}".rstrip()
    if 400 <= status < 500:
        return AgentRefused(host=host, reason=reason, status=status)
    return AgentFailed(host=host, reason=reason, status=status)


def said(response: httpx.Response, kind: type[T]) -> T:
    """Read the body as JSON of a kind; AnswerUnreadable says why it is not."""
    host = response.url.host
    try:
        value = msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerUnreadable(host=host, reason=f"not the JSON expected: {error}") from error
    if b"\\u0000" in response.content:
        wholesome(msgspec.to_builtins(value), host)
    return value


def wholesome(value: Json, host: str) -> Json:
    """Return a value that can be kept; PostgreSQL keeps no text with a NUL in it."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str) and "\0" in each:
            raise AnswerUnreadable(host=host, reason="a text in it holds a NUL character")
        if isinstance(each, dict):
            pending += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            pending += each
    return value


def words(response: httpx.Response) -> str:
    """Return the body as text.

    Always as UTF-8: a charset that the answer names would be a codec of Python's that the agent
    chooses, and some of those decompress, or give something else than text.
    """
    return response.content.decode("utf-8", "replace")


def excerpt(body: str) -> str:
    """Return the beginning of a body as one printable line."""
    line = " ".join(body[: 4 * EXCERPT].split())
    return "".join(sign for sign in line if sign.isprintable())[:EXCERPT]
