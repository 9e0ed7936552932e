"""Which addresses a tenant's URL may reach."""

from ipaddress import ip_address

import pytest

from ai_agent_mesh.plumbing.http.outbound import AddressPolicy, NetworksInvalid

INWARD = [
    "0.0.0.0",  # noqa: S104 - nothing binds to it
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.9.9.9",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", INWARD)
def test_an_inward_address_is_refused_with_a_reason(text: str) -> None:
    assert AddressPolicy().refusal(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_a_public_address_is_admitted(text: str) -> None:
    assert AddressPolicy().refusal(ip_address(text)) is None


def test_what_the_operator_allows_is_admitted_and_nothing_beside_it() -> None:
    policy = AddressPolicy.parse(["127.0.0.0/8", "::1"])
    assert policy.refusal(ip_address("127.0.0.1")) is None
    assert policy.refusal(ip_address("::1")) is None
    assert policy.refusal(ip_address("::ffff:127.0.0.1")) is None
    assert policy.refusal(ip_address("10.0.0.1"))


def test_a_wide_network_does_not_open_the_metadata_service() -> None:
    wide = AddressPolicy.parse(["169.254.0.0/16", "0.0.0.0/0"])
    assert wide.refusal(ip_address("169.254.1.1")) is None
    assert wide.refusal(ip_address("169.254.169.254"))
    exact = AddressPolicy.parse(["169.254.169.254/32"])
    assert exact.refusal(ip_address("169.254.169.254")) is None


def test_every_mistaken_network_is_named_at_once() -> None:
    with pytest.raises(NetworksInvalid) as raised:
        AddressPolicy.parse(["127.0.0.0/8", "ten", "10.0.0.1/8"])
    assert [fault.place for fault in raised.value.faults] == ["ten", "10.0.0.1/8"]
