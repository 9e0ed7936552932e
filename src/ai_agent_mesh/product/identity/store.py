"""The rows of tenants, their terms, users and keys, as one transaction sees them."""

from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity.facts import EmailTaken, TenantNameTaken
from ai_agent_mesh.product.identity.model import ApiKey, Tenant, Terms, User
from ai_agent_mesh.sla import TierName

_TENANT = "id, name, tier, monthly_fee, currency, created_at, version"
_USER = "id, email, name, role, created_at, version"
_KEY = """SELECT k.id, k.user_id, k.service, coalesce(u.role, k.role) AS role, k.created_at,
                 k.expires_at, k.revoked_at, k.last_used_at
          FROM api_key k LEFT JOIN app_user u ON u.tenant_id = k.tenant_id AND u.id = k.user_id"""


class TenantStore:
    """Tenants that the transaction sees: its own, or all of them for operations."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, tenant: Tenant) -> None:
        """Write a new tenant and its first terms, in the scope of its own id."""
        added = await self._tx.execute(
            """INSERT INTO tenant (id, name, tier, monthly_fee, currency, created_at, version)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING""",
            tenant.id,
            tenant.name,
            tenant.tier.value,
            *_columns(tenant.monthly_fee),
            tenant.created_at,
            tenant.version,
        )
        if not added:
            raise TenantNameTaken(name=tenant.name)

    async def save(self, tenant: Tenant) -> None:
        """Write a tenant's changed name and terms."""
        try:
            await self._tx.execute(
                """UPDATE tenant SET name = $2, tier = $3, monthly_fee = $4, currency = $5,
                                     version = $6
                   WHERE id = $1""",
                tenant.id,
                tenant.name,
                tenant.tier.value,
                *_columns(tenant.monthly_fee),
                tenant.version,
            )
        except asyncpg.UniqueViolationError as taken:
            raise TenantNameTaken(name=tenant.name) from taken

    async def add_terms(self, tenant: Tenant, since: datetime) -> None:
        """Write from when on the tenant's present tier and fee hold."""
        await self._tx.execute(
            """INSERT INTO tenant_tier (tenant_id, since, tier, monthly_fee, currency)
               VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (tenant_id, since)
               DO UPDATE SET tier = excluded.tier, monthly_fee = excluded.monthly_fee,
                             currency = excluded.currency""",
            tenant.id,
            since,
            tenant.tier.value,
            *_columns(tenant.monthly_fee),
        )

    async def find(self, id_or_name: str, *, for_update: bool = False) -> Tenant | None:
        """Return the tenant with this id or name."""
        lock = "FOR UPDATE" if for_update else ""
        row = await self._tx.fetchrow(
            f"""SELECT {_TENANT} FROM tenant WHERE id = $1 OR lower(name) = lower($1)
                ORDER BY id = $1 DESC LIMIT 1 {lock}""",  # noqa: S608 - constants
            id_or_name,
        )
        return None if row is None else _tenant(row)

    async def page(self, page: Page) -> list[Tenant]:
        """Return one row more than the page holds, by id."""
        rows = await self._tx.fetch(
            f"SELECT {_TENANT} FROM tenant WHERE id > $1 ORDER BY id LIMIT $2",  # noqa: S608
            page.after or "",
            page.limit + 1,
        )
        return [_tenant(row) for row in rows]

    async def terms(self, tenant_id: str) -> list[Terms]:
        """Return what the tenant was subscribed to, oldest first."""
        rows = await self._tx.fetch(
            """SELECT since, tier, monthly_fee, currency FROM tenant_tier
               WHERE tenant_id = $1 ORDER BY since""",
            tenant_id,
        )
        return [
            Terms(since=row["since"], tier=TierName(row["tier"]), monthly_fee=_fee(row))
            for row in rows
        ]


class UserStore:
    """The users of the transaction's tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, user: User) -> None:
        """Write a new user."""
        added = await self._tx.execute(
            """INSERT INTO app_user (id, email, name, role, created_at, version)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            user.id,
            user.email,
            user.name,
            user.role.value,
            user.created_at,
            user.version,
        )
        if not added:
            raise EmailTaken(email=user.email)

    async def save(self, user: User) -> None:
        """Write a changed user."""
        try:
            await self._tx.execute(
                "UPDATE app_user SET email = $2, name = $3, role = $4, version = $5 WHERE id = $1",
                user.id,
                user.email,
                user.name,
                user.role.value,
                user.version,
            )
        except asyncpg.UniqueViolationError as taken:
            raise EmailTaken(email=user.email) from taken

    async def remove(self, user_id: str) -> None:
        """Delete a user, and with it the user's keys."""
        await self._tx.execute("DELETE FROM app_user WHERE id = $1", user_id)

    async def find(self, id_or_email: str, *, for_update: bool = False) -> User | None:
        """Return the user with this id or address."""
        lock = "FOR UPDATE" if for_update else ""
        row = await self._tx.fetchrow(
            f"""SELECT {_USER} FROM app_user WHERE tenant_id = $1
                AND (id = $2 OR lower(email) = lower($2)) {lock}""",  # noqa: S608 - constants
            self._tx.tenant_id,
            id_or_email,
        )
        return None if row is None else _user(row)

    async def page(self, page: Page) -> list[User]:
        """Return one row more than the page holds, by id."""
        rows = await self._tx.fetch(
            f"""SELECT {_USER} FROM app_user WHERE tenant_id = $1 AND id > $2
                ORDER BY id LIMIT $3""",  # noqa: S608 - constants
            self._tx.tenant_id,
            page.after or "",
            page.limit + 1,
        )
        return [_user(row) for row in rows]

    async def lock_owners(self) -> list[str]:
        """Return the ids of the owners, who stay what they are until the transaction ends."""
        rows = await self._tx.fetch(
            """SELECT id FROM app_user WHERE tenant_id = $1 AND role = 'owner'
               ORDER BY id FOR UPDATE""",
            self._tx.tenant_id,
        )
        return [row["id"] for row in rows]


class KeyStore:
    """The keys of the transaction's tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """Write a new key and the keyed hash of its secret."""
        await self._tx.execute(
            """INSERT INTO api_key (id, user_id, service, role, digest, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            key.id,
            key.user_id,
            key.service,
            key.role.value if key.service is not None else None,
            digest,
            key.created_at,
            key.expires_at,
        )

    async def revoke(self, key_id: str, at: datetime) -> None:
        """Write that a key was revoked; the first moment stays."""
        await self._tx.execute(
            "UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1", key_id, at
        )

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key with this id."""
        row = await self._tx.fetchrow(
            f"{_KEY} WHERE k.tenant_id = $1 AND k.id = $2", self._tx.tenant_id, key_id
        )
        return None if row is None else _key(row)

    async def page(self, page: Page) -> list[ApiKey]:
        """Return one row more than the page holds, by id."""
        rows = await self._tx.fetch(
            f"{_KEY} WHERE k.tenant_id = $1 AND k.id > $2 ORDER BY k.id LIMIT $3",
            self._tx.tenant_id,
            page.after or "",
            page.limit + 1,
        )
        return [_key(row) for row in rows]

    async def lock_live(self, owner: str, now: datetime) -> list[ApiKey]:
        """Return the live keys of a user or service, to which none is added meanwhile."""
        await self._tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{self._tx.tenant_id}/{owner}"
        )
        rows = await self._tx.fetch(
            f"""{_KEY} WHERE k.tenant_id = $1 AND (k.user_id = $2 OR k.service = $2)
                AND k.revoked_at IS NULL AND k.expires_at > $3 ORDER BY k.id""",
            self._tx.tenant_id,
            owner,
            now,
        )
        return [_key(row) for row in rows]


def _tenant(row: asyncpg.Record) -> Tenant:
    return msgspec.convert({**row, "monthly_fee": _fee(row)}, Tenant)


def _fee(row: asyncpg.Record) -> Money | None:
    amount = row["monthly_fee"]
    return None if amount is None else Money(amount, row["currency"])


def _columns(fee: Money | None) -> tuple[Decimal | None, str | None]:
    return (None, None) if fee is None else (fee.amount, fee.currency)


def _user(row: asyncpg.Record) -> User:
    return msgspec.convert(dict(row), User)


def _key(row: asyncpg.Record) -> ApiKey:
    return msgspec.convert(dict(row), ApiKey)


async def fees_by_currency(tx: Tx) -> dict[str, Decimal]:
    """Return what all tenants pay a month, by currency."""
    rows = await tx.fetch(
        "SELECT currency, sum(monthly_fee) AS fees FROM tenant"
        " WHERE monthly_fee IS NOT NULL GROUP BY currency"
    )
    return {row["currency"]: row["fees"] for row in rows}
