"""Which IP addresses a tenant's URL may reach: public ones, and what the operator allows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from ai_agent_mesh.kernel.errors import Fault, Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Where clouds hand credentials to whoever asks. 168.63.129.16 is an ordinary public address by its
# number (Azure's wire server), and 100.100.100.200 (Alibaba) lies in the carriers' range, so no
# general rule would name them.
METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)

NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
IPV4_COMPATIBLE = ip_network("::/96")
SHARED = ip_network("100.64.0.0/10")  # RFC 6598, carrier-grade NAT
UNICAST = ip_network("2000::/3")  # RFC 4291: all that is handed out of IPv6


class NetworksInvalid(Invalid):
    """The allowed addresses are not networks."""


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may be called; an empty `allow` admits the public internet alone."""

    allow: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "AddressPolicy":
        """Read networks such as `10.1.0.0/16` or `::1`; NetworksInvalid names every mistake."""
        networks: list[Network] = []
        faults: list[Fault] = []
        for text in texts:
            try:
                networks.append(ip_network(text.strip()))
            except ValueError as error:
                faults.append(Fault(place=text, reason=str(error)))
        if faults:
            raise NetworksInvalid(faults=faults)
        return cls(tuple(networks))

    def refusal(self, address: Address) -> str | None:
        """Say in words why this address may not be called, or None when it may."""
        for each in (address, *_inside(address)):
            reason = _special(each)
            if reason is not None and not self._allows(each):
                return reason
        return None

    def _allows(self, address: Address) -> bool:
        # A wide network that the operator opened does not open the metadata service in it: that one
        # has to be allowed by its own address.
        narrow = address in METADATA
        return any(
            address in network and (not narrow or network.num_addresses == 1)
            for network in self.allow
            if network.version == address.version
        )


def _special(address: Address) -> str | None:
    if address in METADATA:
        return "a cloud metadata address"
    if isinstance(address, IPv6Address) and _is_envelope(address):
        return None  # judged by the IPv4 address inside
    for holds, reason in (
        (address.is_unspecified, "unspecified"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (address.version == 4 and address in SHARED, "a carrier-grade NAT address"),
        (not address.is_global, "a private or reserved address"),
        (address.is_reserved, "a reserved address"),
        (address.version == 6 and address not in UNICAST, "a reserved address"),
    ):
        if holds:
            return reason
    return None


def _is_envelope(address: IPv6Address) -> bool:
    return address.ipv4_mapped is not None or any(address in network for network in NAT64)


def _inside(address: Address) -> Iterator[IPv4Address]:
    """Every IPv4 address that traffic to this IPv6 address could end at."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    if any(address in network for network in NAT64):
        yield low
    if address in IPV4_COMPATIBLE and int(address) > 1:
        yield low
