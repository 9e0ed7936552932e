"""How tenants, users, keys and callers travel over HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from ai_agent_mesh.evidence import PROBE_TENANT
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.product.identity.model import ApiKey, IssuedKey, Principal, Tenant, Terms, User
from ai_agent_mesh.product.identity.roles import PERMISSIONS, Role
from ai_agent_mesh.product.identity.rules import KeyTerms, state_of, warning

_DAY = timedelta(days=1)


class NewOwner(Struct, frozen=True, forbid_unknown_fields=True):
    """A new tenant's first owner."""

    email: str
    name: str


class NewTenant(Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant to make; with an owner, the owner's first key comes in the answer."""

    name: str
    tier: str
    monthly_fee: Money | None = None
    owner: NewOwner | None = None


class TenantChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a tenant; what is left out stays."""

    name: str | UnsetType = UNSET
    tier: str | UnsetType = UNSET
    monthly_fee: Money | UnsetType | None = UNSET


class NewUser(Struct, frozen=True, forbid_unknown_fields=True):
    """A user to add."""

    email: str
    name: str
    role: str


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a user; what is left out stays."""

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    role: str | UnsetType = UNSET


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to issue: to a user, to a named service with a role, or to the caller when neither."""

    user_id: str | None = None
    service: str | None = None
    role: str | None = None
    #: Seconds; the longest is the playbook's rotation time, and the usual.
    valid_for_s: Annotated[int, Meta(ge=1, le=10**9)] | None = None

    @property
    def life(self) -> timedelta | None:
        """Return how long it shall live, None for as long as it may."""
        return None if self.valid_for_s is None else timedelta(seconds=self.valid_for_s)


class KeyView(Struct, frozen=True, kw_only=True):
    """A key without its secret, and how near its end it is."""

    id: str
    user_id: str | None
    service: str | None
    role: Role
    state: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    #: Whole days left of a live key.
    days_left: int | None
    #: The end is so near that a second key should take over now.
    expires_soon: bool


class IssuedView(Struct, frozen=True, kw_only=True):
    """A new key; `text` is shown this once."""

    key: KeyView
    text: str


class Allowed(Struct, frozen=True, kw_only=True):
    """How much a tenant may ask for."""

    #: Null where there is no limit.
    requests_per_minute: int | None
    #: It is promised within fair use: there may be no limit, but the agreement asks for measure.
    fair_use: bool


class TenantView(Struct, frozen=True, kw_only=True):
    """A tenant, what its tier allows, and its terms over time, oldest first."""

    tenant: Tenant
    allowed: Allowed
    terms: list[Terms]


class OpenedView(Struct, frozen=True, kw_only=True):
    """A new tenant, and where an owner was asked for, the owner and the first key."""

    tenant: Tenant
    owner: User | None = None
    issued: IssuedView | None = None


class CallerView(Struct, frozen=True, kw_only=True):
    """Who the caller is and what the caller may do."""

    tenant_id: str
    tier: str
    actor_id: str
    key_id: str | None
    role: Role
    permissions: list[str]
    key_expires_at: datetime | None
    key_expires_soon: bool


def tenant_view(tenant: Tenant, terms: Sequence[Terms], playbook: Playbook) -> TenantView:
    """Return how a tenant looks under a playbook. The tenant `probe` has no limit on any tier."""
    tier = playbook.tiers[tenant.tier]
    limit = None if tenant.id == PROBE_TENANT else tier.requests_per_minute
    allowed = Allowed(requests_per_minute=limit, fair_use=tier.fair_use)
    return TenantView(tenant=tenant, allowed=allowed, terms=list(terms))


def key_view(key: ApiKey, now: datetime, terms: KeyTerms) -> KeyView:
    """Return how a key looks at a moment."""
    live = key.live(now)
    return KeyView(
        id=key.id,
        user_id=key.user_id,
        service=key.service,
        role=key.role,
        state=state_of(key, now),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        days_left=(key.expires_at - now) // _DAY if live else None,
        expires_soon=live and warning(key.expires_at, now, terms) is not None,
    )


def issued_view(issued: IssuedKey, now: datetime, terms: KeyTerms) -> IssuedView:
    """Return a new key with its text."""
    return IssuedView(key=key_view(issued.key, now, terms), text=issued.text)


def caller_view(principal: Principal, now: datetime, terms: KeyTerms) -> CallerView:
    """Return what a caller may know of themselves."""
    ends = principal.key_expires_at
    return CallerView(
        tenant_id=principal.tenant_id,
        tier=principal.tier,
        actor_id=principal.actor_id,
        key_id=principal.key_id,
        role=principal.role,
        permissions=sorted(filter(principal.permits, PERMISSIONS[principal.role])),
        key_expires_at=ends,
        key_expires_soon=ends is not None and warning(ends, now, terms) is not None,
    )
