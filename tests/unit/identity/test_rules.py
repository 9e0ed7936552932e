"""What names, fees, addresses and lifetimes may be."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh import playbook
from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.product.identity.allowances import Allowance
from ai_agent_mesh.product.identity.headers import key_headers, rate_headers
from ai_agent_mesh.product.identity.model import Principal
from ai_agent_mesh.product.identity.roles import Role
from ai_agent_mesh.product.identity.rules import (
    check_service,
    check_tenant,
    check_user,
    expiry,
    key_terms,
    warning,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TERMS = key_terms(playbook.default())


def test_all_mistakes_of_a_tenant_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_tenant("", "gold", Money(Decimal(-1)))
    assert [fault.place for fault in refusal.value.faults] == ["/name", "/tier", "/monthly_fee"]
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        *((amount, "USD") for amount in ("NaN", "Infinity", "-0.01", "1.001", "1e12")),
        ("1", "usd"),
        ("1", ""),
    ],
)
def test_a_fee_is_an_amount_that_can_be_paid_in_a_currency(amount: str, currency: str) -> None:
    with pytest.raises(Invalid, match="monthly_fee"):
        check_tenant("acme", "free", Money(Decimal(amount), currency))
    check_tenant("acme", "free", Money(Decimal("99.90"), "CHF"))


def test_all_mistakes_of_a_user_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_user("nobody", " ", "king")
    assert [fault.place for fault in refusal.value.faults] == ["/email", "/name", "/role"]


@pytest.mark.parametrize("name", ["Acme", "acme-free", "A.B_c 9", "x", "a" * 64])
def test_usual_tenant_names_pass(name: str) -> None:
    assert check_tenant(name, "free", None) == "free"


@pytest.mark.parametrize("name", ["", " a", "a ", "a" * 65, "tnt_x", "TNT_x", "a\nb", "é", "a/b"])
def test_unusual_tenant_names_do_not(name: str) -> None:
    with pytest.raises(Invalid):
        check_tenant(name, "free", None)


@given(st.text(), st.text(), st.text())
def test_no_user_text_breaks_the_check(email: str, name: str, role: str) -> None:
    with suppress(Invalid):
        check_user(email, name, role)


def test_a_service_key_needs_a_role() -> None:
    assert check_service("ci.deploy", "developer") is Role.DEVELOPER
    for service, role in (("ci", None), ("ci", "king"), ("CI", "viewer"), ("", "viewer")):
        with pytest.raises(Invalid):
            check_service(service, role)


def test_a_key_lives_no_longer_than_the_playbook_lets_it() -> None:
    rotation = playbook.default().keys.rotation
    assert expiry(NOW, None, TERMS) == NOW + rotation
    assert expiry(NOW, timedelta(hours=1), TERMS) == NOW + timedelta(hours=1)
    for life in (rotation + timedelta(seconds=1), timedelta(0), timedelta(days=-1)):
        with pytest.raises(Invalid):
            expiry(NOW, life, TERMS)


@given(st.integers(0, 200 * 24 * 3600))
def test_a_key_is_warned_of_from_the_playbooks_first_warning_on(seconds: int) -> None:
    left = timedelta(seconds=seconds)
    stages = playbook.default().keys.warn_before
    found = warning(NOW + left, NOW, TERMS)
    assert (found is not None) == (left <= max(stages))
    assert found is None or (found in stages and found >= left)


def test_an_old_key_says_so_in_the_answer_and_a_young_one_does_not() -> None:
    def fields(left: timedelta) -> list[tuple[bytes, bytes]]:
        principal = Principal("tnt_1", "free", "usr_1", "key_1", Role.OWNER, NOW + left)
        return key_headers(principal, NOW, TERMS)

    assert fields(timedelta(days=2)) == [(b"mesh-key-expires", b"2026-11-03T00:00:00Z")]
    assert fields(timedelta(days=60)) == []


def test_an_allowance_is_said_in_the_fields_of_the_draft() -> None:
    refused = Allowance(False, 60, 0, 12, '"default";q=60;w=60')
    assert rate_headers(refused) == [
        (b"ratelimit", b'"default";r=0;t=12'),
        (b"ratelimit-policy", b'"default";q=60;w=60'),
        (b"retry-after", b"12"),
    ]
    assert rate_headers(Allowance(True, None, None, 0, "")) == []
