"""A connection goes to a checked address: resolved once, judged, then dialled by its number."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore
import httpx

from ai_agent_mesh.plumbing.http.outbound.addresses import AddressPolicy
from ai_agent_mesh.plumbing.http.outbound.facts import AddressRefused, NameUnknown, Unreachable

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host, best first; OSError when it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Dial only checked addresses.

    The check sits where the socket is made, so nothing can come between the two: a name that
    resolves to something else a moment later is never asked again, and a redirect, a retry or a new
    pooled connection cannot go round it. TLS still verifies the certificate for the name, because
    the layer above asks for that with the origin's host.
    """

    def __init__(self, policy: AddressPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers, raising a fact otherwise."""
        reason = "no address"
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except httpcore.ConnectTimeout:
                reason = "no answer to the connection"
            except httpcore.ConnectError as error:
                reason = str(error) or "refused"
        raise Unreachable(host=host, port=port, reason=reason)

    async def _checked(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        try:
            addresses = [ip_address(text) for text in await self._resolver(host, port)]
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise NameUnknown(host=host, reason=reason) from error
        for address in addresses:
            refusal = self._policy.refusal(address)
            if refusal is not None:
                raise AddressRefused(host=host, address=str(address), reason=refusal)
        return addresses


class PinnedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over a pool that dials through a PinnedBackend."""

    def __init__(self, backend: PinnedBackend, *, connections: int) -> None:
        super().__init__(trust_env=False)
        # httpx offers no argument for the network backend; a test connects through this pool, so a
        # version that names it otherwise is noticed at once.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            keepalive_expiry=5,
            network_backend=backend,
        )
