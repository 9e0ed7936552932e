"""What tenants, their terms, users, keys and callers are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ai_agent_mesh.evidence import PLATFORM_TENANT
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity.roles import BUILT_IN_TENANTS, Role, permits
from ai_agent_mesh.sla import TierName


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, or one of the two built-in tenants."""

    id: str
    name: str
    tier: TierName
    #: What the contract says it pays a month; null where no contract says.
    monthly_fee: Money | None
    created_at: datetime
    version: int

    @property
    def built_in(self) -> bool:
        """Tell whether it is `platform` or `probe`."""
        return self.id in BUILT_IN_TENANTS


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant was subscribed to from a moment on, until the next terms."""

    since: datetime
    tier: TierName
    monthly_fee: Money | None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a tenant."""

    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    version: int


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a user or of a named service, without its secret."""

    id: str
    user_id: str | None
    service: str | None
    role: Role
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    #: When it was last seen, to about an hour.
    last_used_at: datetime | None

    def live(self, now: datetime) -> bool:
        """Tell whether it lets its holder in."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key, with the text that is shown this once."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"IssuedKey({self.key.id}, ...)"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, and for which tenant."""

    tenant_id: str
    tier: str
    #: The user, or the key itself where it belongs to a service.
    actor_id: str
    key_id: str | None
    role: Role
    key_expires_at: datetime | None = None

    @property
    def platform(self) -> bool:
        """Tell whether the caller is of the tenant `platform`."""
        return self.tenant_id == PLATFORM_TENANT

    def permits(self, permission: str) -> bool:
        """Tell whether the caller holds a permission."""
        return permits(self.role, permission, platform=self.platform)


#: What is done for each new tenant, in the transaction that makes it and in that tenant's scope.
TenantHook = Callable[[Tx, Tenant], Awaitable[None]]
