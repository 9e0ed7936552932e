"""Tenants: made whole, moved between tiers, and blind to one another."""

from datetime import timedelta
from decimal import Decimal

import pytest
from asyncpg import InsufficientPrivilegeError
from tests.e2e.identity.conftest import World

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.plumbing.crypto import SealBroken
from ai_agent_mesh.plumbing.http import Page, PreconditionFailed, PreconditionRequired, page_of
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity import Role, Tenant, Tenants, Users, keys_in, scoped
from ai_agent_mesh.product.identity.facts import (
    BuiltInTenant,
    EmailTaken,
    KeyMissing,
    TenantMissing,
    TenantNameTaken,
    UserMissing,
)


async def test_one_tenant_sees_nothing_of_another(world: World) -> None:
    acme, bolt = await world.account("acme"), await world.account("bolt")
    async with world.app.tenant(acme.tenant.id) as tx:
        users, keys = Users(tx, world.clock), keys_in(world, tx)
        assert [u.id for u in (await users.list(Page())).items] == [acme.owner.id]
        assert [k.id for k in (await keys.list(Page())).items] == [acme.issued.key.id]
        with pytest.raises(UserMissing):
            await users.get(bolt.owner.id)
        with pytest.raises(UserMissing):
            await users.update(bolt.owner.id, "*", by=Role.OWNER, name="Mallory")
        with pytest.raises(UserMissing):
            await keys.issue_to_user(bolt.owner.id, by=Role.OWNER)
        with pytest.raises(KeyMissing):
            await keys.revoke(bolt.issued.key.id)
        with pytest.raises(TenantMissing):
            await Tenants(tx, world.clock).get(bolt.tenant.id)
        assert await tx.fetchval("SELECT count(*) FROM tenant") == 1


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO app_user (id, tenant_id, email, name, role) VALUES ('u', $1, 'x', 'x', 'x')",
        "INSERT INTO tenant_keyset (tenant_id, wrapped) VALUES ($1, 'x')",
        "INSERT INTO tenant (id, name, tier) VALUES ($1 || 'x', 'x', 'free')",
        "INSERT INTO tenant_tier (tenant_id, since, tier) VALUES ($1, now(), 'enterprise')",
    ],
)
async def test_the_database_refuses_a_row_of_another_tenant(world: World, sql: str) -> None:
    acme, bolt = await world.account("acme"), await world.account("bolt")
    with pytest.raises(InsufficientPrivilegeError):
        async with world.app.tenant(acme.tenant.id) as tx:
            await tx.execute(sql, bolt.tenant.id)


async def test_without_a_tenant_nothing_is_seen_and_a_key_id_shows_one_row(world: World) -> None:
    acme = await world.account("acme")
    await world.account("bolt")
    async with world.app.transaction() as tx:
        for table in ("tenant", "tenant_tier", "tenant_keyset", "app_user", "api_key"):
            assert await tx.fetchval(f"SELECT count(*) FROM {table}") == 0
        await tx.execute("SELECT set_config('mesh.key_id', $1, true)", acme.issued.key.id)
        rows = await tx.fetch("SELECT id FROM api_key")
    assert [row["id"] for row in rows] == [acme.issued.key.id]


async def test_operations_see_every_tenant_and_no_secret(world: World) -> None:
    await world.account("acme")
    await world.account("bolt")
    async with world.operations.transaction() as tx:
        tenants = Tenants(tx, world.clock)
        first = await tenants.list(page_of(3))
        second = await tenants.list(page_of(3, first.next_cursor))
        names = [tenant.name for tenant in [*first.items, *second.items]]
        assert names == ["platform", "probe", "acme", "bolt"]
        assert second.next_cursor is None
    for table in ("api_key", "tenant_keyset"):
        with pytest.raises(InsufficientPrivilegeError):
            async with world.operations.transaction() as tx:
                await tx.fetch(f"SELECT * FROM {table}")


async def test_a_move_between_tiers_is_kept_with_its_moment(world: World) -> None:
    acme = (await world.account("acme", "free")).tenant
    since = world.clock.now()
    world.clock.move(timedelta(days=3))
    async with world.app.tenant("platform") as tx:
        tenants = Tenants(tx, world.clock)
        moved = await tenants.update(
            acme.id, '"1"', tier="enterprise", monthly_fee=Money(Decimal("5000.00"), "CHF")
        )
        assert (moved.tier, moved.version) == ("enterprise", 2)
        with pytest.raises(PreconditionFailed):
            await tenants.update(acme.id, '"1"', tier="free")
        with pytest.raises(PreconditionRequired):
            await tenants.update(acme.id, None, tier="free")
        same = await tenants.update(acme.id, '"2"', tier="enterprise")
        assert same == moved
        # The transaction is the platform's own again.
        assert await tx.fetchval("SELECT mesh_tenant()") == "platform"
    async with world.operations.transaction() as tx:
        terms = await Tenants(tx, world.clock).terms(acme.id)
        assert await Tenants(tx, world.clock).get("ACME") == moved
    assert [(t.since, t.tier, t.monthly_fee) for t in terms] == [
        (since, "free", None),
        (world.clock.now(), "enterprise", Money(Decimal("5000.00"), "CHF")),
    ]


async def test_the_built_in_tenants_keep_their_terms(world: World) -> None:
    for tenant_id in ("platform", "probe"):
        async with world.app.tenant("platform") as tx:
            with pytest.raises(BuiltInTenant):
                await Tenants(tx, world.clock).update(tenant_id, "*", tier="free")


async def test_a_name_or_address_is_taken_once(world: World) -> None:
    acme = await world.account("acme")
    bolt = await world.account("bolt")
    with pytest.raises(TenantNameTaken):
        await world.account("ACME")
    async with world.app.tenant("platform") as tx:
        with pytest.raises(TenantMissing):
            await Tenants(tx, world.clock).update("acme", "*", tier="free")
    with pytest.raises(TenantNameTaken):
        async with world.app.tenant("platform") as tx:
            await Tenants(tx, world.clock).update(bolt.tenant.id, "*", name="Acme")
    async with world.app.tenant(acme.tenant.id) as tx:
        users = Users(tx, world.clock)
        with pytest.raises(EmailTaken):
            await users.create("Owner@Acme.example", "Ada", "viewer", by=Role.OWNER)
        await users.create(bolt.owner.email, "Ada", "viewer", by=Role.OWNER)


async def test_what_every_new_tenant_gets_is_made_with_it_or_not_at_all(world: World) -> None:
    seen: list[tuple[str, str]] = []

    async def greet(tx: Tx, tenant: Tenant) -> None:
        seen.append((tenant.name, await tx.fetchval("SELECT mesh_tenant()")))

    async def fail(_tx: Tx, _tenant: Tenant) -> None:
        raise RuntimeError("no")

    world.on_tenant_created = [greet]
    acme = await world.account("acme")
    assert seen == [("acme", acme.tenant.id)]
    world.on_tenant_created = [greet, fail]
    with pytest.raises(RuntimeError):
        await world.account("bolt")
    async with world.operations.transaction() as tx:
        with pytest.raises(TenantMissing):
            await Tenants(tx, world.clock).get("bolt")


async def test_a_sealed_value_opens_in_its_place_alone(world: World) -> None:
    acme, bolt = await world.account("acme"), await world.account("bolt")
    vault = world.vault
    async with world.app.tenant(acme.tenant.id) as tx:
        sealed = await vault.seal(tx, "agent", "credential", "agt_1", b"secret")
    assert b"secret" not in sealed
    async with world.app.tenant(acme.tenant.id) as tx:
        assert await vault.open(tx, "agent", "credential", "agt_1", sealed) == b"secret"
        for place in (
            ("agent", "credential", "agt_2"),
            ("agent", "other", "agt_1"),
            ("agents", "credential", "agt_1"),
            ("agentc", "redential", "agt_1"),
        ):
            with pytest.raises(SealBroken):
                await vault.open(tx, *place, sealed)
        for broken in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b""):
            with pytest.raises(SealBroken):
                await vault.open(tx, "agent", "credential", "agt_1", broken)
    async with world.app.tenant(bolt.tenant.id) as tx:
        await vault.seal(tx, "agent", "credential", "agt_1", b"mine")
        with pytest.raises(SealBroken):
            await vault.open(tx, "agent", "credential", "agt_1", sealed)


async def test_a_keyset_that_was_rolled_back_seals_nothing(world: World) -> None:
    acme = await world.account("acme")
    tx = await world.app.begin(acme.tenant.id)
    await world.vault.seal(tx, "agent", "credential", "agt_1", b"lost")
    await world.app.rollback(tx)
    async with world.app.tenant(acme.tenant.id) as tx:
        sealed = await world.vault.seal(tx, "agent", "credential", "agt_1", b"kept")
    async with world.app.tenant(acme.tenant.id) as tx:
        assert await world.vault.open(tx, "agent", "credential", "agt_1", sealed) == b"kept"


async def test_work_for_another_tenant_ends_with_its_block(world: World) -> None:
    acme = await world.account("acme")
    async with world.app.tenant("platform") as tx:
        async with scoped(tx, acme.tenant.id) as inner:
            assert inner.tenant_id == acme.tenant.id
            assert (await Users(inner, world.clock).get(acme.owner.id)) == acme.owner
        with pytest.raises(UserMissing):
            await Users(tx, world.clock).get(acme.owner.id)
