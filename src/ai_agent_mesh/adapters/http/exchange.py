"""One request to an agent: what goes along with it, and what its status and its body mean."""

from typing import Any

import httpx
import msgspec

from ai_agent_mesh.plumbing.http.outbound import UpstreamFailed, excerpt, words
from ai_agent_mesh.product.agents import AgentBusy, AgentFailed, AgentRefused, Target

Json = Any  # an agent's JSON is passed on as it is

NOT_NOW = frozenset({429, 502, 503, 504})
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
