"""Tenants: made, found, renamed and moved between tiers."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.plumbing.http import Page, Paged, paged, require
from ai_agent_mesh.plumbing.postgres import Database, Tx
from ai_agent_mesh.product.identity.facts import BuiltInTenant, TenantMissing
from ai_agent_mesh.product.identity.model import Tenant, TenantHook, Terms
from ai_agent_mesh.product.identity.rules import check_tenant
from ai_agent_mesh.product.identity.scope import scoped
from ai_agent_mesh.product.identity.store import TenantStore


class Tenants:
    """The tenants that a transaction sees: its own one, or every one for operations.

    Changes are made in the scope of the tenant concerned, inside whatever transaction is given.
    """

    def __init__(self, tx: Tx, clock: Clock, hooks: Sequence[TenantHook] = ()) -> None:
        self._tx = tx
        self._clock = clock
        self._hooks = hooks

    async def create(self, name: str, tier: str, monthly_fee: Money | None = None) -> Tenant:
        """Make a tenant, and do for it what every new tenant gets.

        Raises:
            TenantInvalid, TenantNameTaken
        """
        tenant = Tenant(
            id=new_id("tnt"),
            name=name,
            tier=check_tenant(name, tier, monthly_fee),
            monthly_fee=monthly_fee,
            created_at=self._clock.now(),
            version=1,
        )
        async with scoped(self._tx, tenant.id) as tx:
            store = TenantStore(tx)
            await store.add(tenant)
            await store.add_terms(tenant, tenant.created_at)
            for hook in self._hooks:
                await hook(tx, tenant)
        return tenant

    async def list(self, page: Page) -> Paged[Tenant]:
        """Return a page of tenants, oldest first."""
        return paged(await TenantStore(self._tx).page(page), page, lambda tenant: tenant.id)

    async def get(self, id_or_name: str) -> Tenant:
        """Return a tenant by its id or name.

        Raises:
            TenantMissing
        """
        tenant = await TenantStore(self._tx).find(id_or_name)
        if tenant is None:
            raise TenantMissing(tenant=id_or_name)
        return tenant

    async def terms(self, tenant_id: str) -> Sequence[Terms]:
        """Return the tenant's tier and fee over time, oldest first."""
        return await TenantStore(self._tx).terms(tenant_id)

    async def update(
        self,
        tenant_id: str,
        if_match: str | None,
        *,
        name: str | UnsetType = UNSET,
        tier: str | UnsetType = UNSET,
        monthly_fee: Money | UnsetType | None = UNSET,
    ) -> Tenant:
        """Change what is given; a new tier or fee holds from now on and is kept in the terms.

        Raises:
            TenantMissing, BuiltInTenant, TenantInvalid, TenantNameTaken, PreconditionFailed
        """
        async with scoped(self._tx, tenant_id) as tx:
            store = TenantStore(tx)
            before = await store.find(tenant_id, for_update=True)
            if before is None or before.id != tenant_id:
                raise TenantMissing(tenant=tenant_id)
            if before.built_in:
                raise BuiltInTenant(tenant=tenant_id)
            require(if_match, before.version)
            after = _changed(before, name, tier, monthly_fee)
            if after != before:
                after = replace(after, version=before.version + 1)
                await store.save(after)
            if (after.tier, after.monthly_fee) != (before.tier, before.monthly_fee):
                await store.add_terms(after, self._clock.now())
        return after


async def find_tenant(operations: Database, id_or_name: str) -> Tenant:
    """Return the tenant that an operator names by id or name, whichever tenant it is.

    Raises:
        TenantMissing
    """
    async with operations.transaction() as tx:
        tenant = await TenantStore(tx).find(id_or_name)
    if tenant is None:
        raise TenantMissing(tenant=id_or_name)
    return tenant


def _changed(
    tenant: Tenant,
    name: str | UnsetType,
    tier: str | UnsetType,
    monthly_fee: Money | UnsetType | None,
) -> Tenant:
    wanted_name = tenant.name if name is UNSET else name
    wanted_tier = tenant.tier if tier is UNSET else tier
    fee = tenant.monthly_fee if monthly_fee is UNSET else monthly_fee
    checked = check_tenant(wanted_name, wanted_tier, fee)
    return replace(tenant, name=wanted_name, tier=checked, monthly_fee=fee)
