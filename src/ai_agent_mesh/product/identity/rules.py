"""What names, roles, terms and key lifetimes may be, and when a key's age is worth a warning."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.product.identity.facts import (
    KeyInvalid,
    RoleAboveOwn,
    TenantInvalid,
    UserInvalid,
)
from ai_agent_mesh.product.identity.model import ApiKey
from ai_agent_mesh.product.identity.roles import Role, may_grant
from ai_agent_mesh.sla import TierName

_TENANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}[A-Za-z0-9]|[A-Za-z0-9]")
_SERVICE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}")
#: The code of ISO 4217.
_CURRENCY = re.compile(r"[A-Z]{3}")
_HIGHEST_FEE = Decimal(10) ** 12
_SHORTEST_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What the playbook says about keys."""

    #: The longest that a key lives.
    rotation: timedelta
    #: How many live keys an owner may have, so that one can replace the other without a gap.
    live: int
    #: How long before a key's end its age is warned of, each time more urgently.
    warn_before: tuple[timedelta, ...]


def key_terms(playbook: Playbook) -> KeyTerms:
    """Return what this playbook says about keys."""
    keys = playbook.keys
    return KeyTerms(keys.rotation, keys.live_at_most, tuple(keys.warn_before))


def check_tenant(name: str, tier: str, monthly_fee: Money | None) -> TierName:
    """Return the tier of a tenant that may be written so.

    Raises:
        TenantInvalid: with every mistake.
    """
    faults = []
    if not _TENANT_NAME.fullmatch(name) or name.lower().startswith("tnt_"):
        reason = "must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores"
        faults.append(Fault("/name", reason))
    if tier not in set(TierName):
        faults.append(Fault("/tier", f"must be one of {_names(TierName)}"))
    if monthly_fee is not None and not _payable(monthly_fee):
        reason = "must be zero or more, at most two decimals, in a currency such as USD"
        faults.append(Fault("/monthly_fee", reason))
    if faults:
        raise TenantInvalid(_line(faults), faults=faults)
    return TierName(tier)


def check_user(email: str, name: str, role: str) -> Role:
    """Return the role of a user who may be written so.

    Raises:
        UserInvalid: with every mistake.
    """
    faults = []
    if not _EMAIL.fullmatch(email):
        faults.append(Fault("/email", "must be an address such as ada@example.com"))
    if not 1 <= len(name) <= 128 or not name.isprintable() or name != name.strip():
        faults.append(Fault("/name", "must be 1 to 128 printable characters"))
    if role not in set(Role):
        faults.append(Fault("/role", f"must be one of {_names(Role)}"))
    if faults:
        raise UserInvalid(_line(faults), faults=faults)
    return Role(role)


def check_service(service: str, role: str | None) -> Role:
    """Return the role of a service key that may be written so.

    Raises:
        KeyInvalid: with every mistake.
    """
    faults = []
    if not _SERVICE_NAME.fullmatch(service):
        reason = "must be 1 to 63 small letters, digits, dots, hyphens or underscores"
        faults.append(Fault("/service", reason))
    if role is None or role not in set(Role):
        faults.append(Fault("/role", f"must be one of {_names(Role)}"))
    if faults:
        raise KeyInvalid(_line(faults), faults=faults)
    return Role(str(role))


def expiry(now: datetime, wanted: timedelta | None, terms: KeyTerms) -> datetime:
    """Return when a new key ends: as wanted, at the longest after the playbook's rotation time.

    Raises:
        KeyInvalid: it is shorter than a minute or longer than allowed.
    """
    life = terms.rotation if wanted is None else wanted
    if not _SHORTEST_LIFE <= life <= terms.rotation:
        longest = round(terms.rotation / timedelta(days=1), 2)
        fault = Fault("/valid_for_s", f"must be from one minute to {longest:g} days, in seconds")
        raise KeyInvalid(_line([fault]), faults=[fault])
    return now + life


def warning(expires_at: datetime, now: datetime, terms: KeyTerms) -> timedelta | None:
    """Return the most urgent of the playbook's warnings that a key has reached, or None."""
    left = expires_at - now
    return min((before for before in terms.warn_before if left <= before), default=None)


def state_of(key: ApiKey, now: datetime) -> str:
    """Return `live`, `expired` or `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.live(now) else "expired"


def require_grant(own: Role, *roles: Role) -> None:
    """Let a holder of `own` give or change these roles.

    Raises:
        RoleAboveOwn: one of them is above it.
    """
    for role in roles:
        if not may_grant(own, role):
            raise RoleAboveOwn(own=own.value, role=role.value)


def _payable(fee: Money) -> bool:
    amount = fee.amount
    if not amount.is_finite() or not 0 <= amount < _HIGHEST_FEE:
        return False
    return amount == fee.rounded().amount and _CURRENCY.fullmatch(fee.currency) is not None


def _names(words: type[Role] | type[TierName]) -> str:
    return ", ".join(word.value for word in words)


def _line(faults: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.place.removeprefix('/')} {fault.reason}" for fault in faults)
