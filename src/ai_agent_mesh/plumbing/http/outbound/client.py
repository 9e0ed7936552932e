"""The one HTTP client for a tenant's URLs: pinned, bounded in bytes, time and redirects."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from ai_agent_mesh.kernel.errors import Denied
from ai_agent_mesh.plumbing.http.outbound.addresses import AddressPolicy
from ai_agent_mesh.plumbing.http.outbound.body import BoundedBody
from ai_agent_mesh.plumbing.http.outbound.facts import (
    AnswerTimedOut,
    AnswerUnreadable,
    ConnectionBroken,
    OutboundBusy,
    RedirectRefused,
    SchemeRefused,
    TooManyRedirects,
    Unreachable,
    UrlUnusable,
)
from ai_agent_mesh.plumbing.http.outbound.pinned import (
    PinnedBackend,
    PinnedTransport,
    Resolver,
    resolve,
)

REDIRECTS = 3
CONNECTIONS = 512
CONNECT_S = 5.0

# What follows a redirect to another origin. A list of what may go, because a credential can stand
# in a header of any name.
PORTABLE = frozenset(
    {
        "a2a-extensions",
        "a2a-version",
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "idempotency-key",
        "traceparent",
        "user-agent",
    }
)


def guarded_client(
    policy: AddressPolicy,
    *,
    body_limit_bytes: int,
    total_s: float = 300.0,
    redirects: int = REDIRECTS,
    resolver: Resolver = resolve,
) -> httpx.AsyncClient:
    """Return a client for URLs that strangers chose.

    It keeps no cookies and reads no proxy or netrc from the environment. A request may shorten
    `total_s` by its own timeout, which then bounds the whole exchange, redirects and body included.
    Every failure is a fact of this package.
    """
    inner = PinnedTransport(PinnedBackend(policy, resolver), connections=CONNECTIONS)
    return httpx.AsyncClient(
        transport=GuardedTransport(inner, body_limit_bytes, total_s, redirects),
        timeout=httpx.Timeout(total_s, connect=min(CONNECT_S, total_s)),
        headers={"Accept-Encoding": "gzip, deflate", "User-Agent": "ai-agent-mesh"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


class GuardedTransport(httpx.AsyncBaseTransport):
    """Follow redirects with care, hold the clock, and hand on a bounded body."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, limit_bytes: int, total_s: float, redirects: int
    ) -> None:
        self._inner = inner
        self._limit_bytes = limit_bytes
        self._total_s = total_s
        self._redirects = redirects

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the last response of the chain; every failure is a fact."""
        own = request.extensions.get("timeout", {}).get("read")
        seconds = min(self._total_s, own or self._total_s)
        deadline = asyncio.get_running_loop().time() + seconds
        host = request.url.host
        for hop in range(self._redirects + 1):
            try:
                with outside(request.url, seconds):
                    _check_url(request.url)
                    async with asyncio.timeout_at(deadline):
                        response = await self._inner.handle_async_request(request)
            except Denied as fact:
                if hop == 0:
                    raise
                # The caller chose the first address; whoever answers there chose this one.
                raise RedirectRefused(host=host, reason=fact.detail) from fact
            onward = _redirected(request, response)
            if onward is None:
                return self._bounded(response, request.url, seconds, deadline)
            await response.aclose()
            request = onward
        raise TooManyRedirects(host=host, limit=self._redirects)

    def _bounded(
        self, response: httpx.Response, url: httpx.URL, seconds: float, deadline: float
    ) -> httpx.Response:
        body = BoundedBody(
            response,
            host=url.host,
            encoding=response.headers.pop("content-encoding", "identity"),
            limit_bytes=self._limit_bytes,
            deadline=deadline,
            outside=lambda: outside(url, seconds),
        )
        response.headers.pop("content-length", None)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=body,
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._inner.aclose()


@contextmanager
def outside(url: httpx.URL, seconds: float) -> Iterator[None]:
    """Turn what httpx and the clock raise into facts about the origin of `url`."""
    _, host, port = _origin(url)
    try:
        yield
    except httpx.PoolTimeout as error:
        raise OutboundBusy() from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # TLS: the dial has its own facts
        raise Unreachable(host=host, port=port, reason=_said(error)) from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise AnswerTimedOut(host=host, seconds=f"{seconds:.3g}") from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise UrlUnusable(reason=_said(error)) from error
    except httpx.RemoteProtocolError as error:
        # httpx has one class for both: a connection closed halfway, and bytes that are not HTTP.
        if "disconnected" in str(error) or "closed" in str(error):
            raise ConnectionBroken(host=host, reason=_said(error)) from error
        raise AnswerUnreadable(host=host, reason=_said(error)) from error
    except httpx.TransportError as error:
        raise ConnectionBroken(host=host, reason=_said(error)) from error


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


def _check_url(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https"):
        raise SchemeRefused(scheme=url.scheme or "none")
    if not url.host:
        raise UrlUnusable(reason="it names no host")


def _redirected(request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
    """The request that a redirect asks for, or None when this response is the answer.

    A POST is repeated only where the status says so (307, 308): turning it into a GET would lose
    the message and look like an answer.
    """
    location = response.headers.get("location")
    repeatable = response.status_code in (307, 308)
    safe = request.method in ("GET", "HEAD") and response.status_code in (301, 302, 303)
    if not location or not (repeatable or safe):
        return None
    try:
        url = request.url.join(location).copy_with(username=None, password=None, fragment=None)
    except httpx.InvalidURL as error:
        reason = f"{location[:200]!r} is no address: {_said(error)}."
        raise RedirectRefused(host=request.url.host, reason=reason) from error
    headers = request.headers.copy()
    if _origin(url) != _origin(request.url):
        headers = httpx.Headers([pair for pair in headers.items() if pair[0] in PORTABLE])
    headers["Host"] = url.netloc.decode("ascii")
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
