"""Keys let their holders in, and nobody else."""

import asyncio
from datetime import timedelta

import pytest
from tests.conftest import Databases
from tests.e2e.identity.conftest import World

from ai_agent_mesh.kernel.errors import Fact, Unauthenticated
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Page, problem_of
from ai_agent_mesh.product.identity import (
    Authenticator,
    KeyRefused,
    Role,
    Tenants,
    Users,
    bootstrap,
    keys_in,
    renew_probe_key,
)
from ai_agent_mesh.product.identity.facts import (
    KeyMissing,
    LastOwner,
    RoleAboveOwn,
    TooManyLiveKeys,
)
from ai_agent_mesh.product.identity.key_text import draw


def bearer(text: str) -> str:
    return f"Bearer {text}"


def fresh(world: World) -> Authenticator:
    """Return the authenticator of another process: it remembers nobody."""
    return Authenticator(world.app, world.hasher, world.clock)


async def test_a_key_lets_its_holder_in_as_who_they_are(world: World) -> None:
    account = await world.account("acme", "free")
    caller = await world.authenticator.authenticate(bearer(account.issued.text))
    assert (caller.tenant_id, caller.tier) == (account.tenant.id, "free")
    assert (caller.actor_id, caller.role) == (account.owner.id, Role.OWNER)
    assert caller.key_expires_at == world.clock.now() + world.playbook.keys.rotation
    assert not caller.permits("platform:tenants")


async def test_the_secret_is_nowhere_in_the_database(world: World, databases: Databases) -> None:
    import asyncpg

    account = await world.account("acme")
    secret = account.issued.text.rsplit("_", 1)[1][:43]
    owner = await asyncpg.connect(databases.migrate_url)
    try:
        row = await owner.fetchrow("SELECT k::text AS text, digest FROM api_key k")
    finally:
        await owner.close()
    assert row is not None
    assert secret not in row["text"]
    assert secret.encode().hex() not in row["text"]
    assert len(row["digest"]) == 32


async def test_unknown_wrong_expired_and_revoked_keys_get_one_answer(world: World) -> None:
    account = await world.account("acme")
    key = account.issued.key
    async with world.app.tenant(account.tenant.id) as tx:
        keys = keys_in(world, tx)
        short = await keys.issue_to_service("ci", "viewer", timedelta(hours=1), by=Role.OWNER)
        gone = await keys.issue_to_service("cd", "viewer", by=Role.OWNER)
        await keys.revoke(gone.key.id)
    world.clock.move(timedelta(hours=1))
    headers = [
        None,
        "Basic x",
        "Bearer \x00\xff",
        bearer("m" * 100_000),
        bearer(account.issued.text[:-1]),
        bearer(draw(new_id("key")).text),
        bearer(draw(key.id).text),
        bearer(short.text),
        bearer(gone.text),
    ]
    answers = set()
    for header in headers:
        for authenticator in (world.authenticator, fresh(world)):
            with pytest.raises(Unauthenticated) as refusal:
                await authenticator.authenticate(header)
            answers.add(problem_of(refusal.value, "req_1").encode())
    assert len(answers) == 1


async def test_a_key_ends_at_its_hour_even_where_it_is_remembered(world: World) -> None:
    account = await world.account("acme")
    header = bearer(account.issued.text)
    world.clock.move(world.playbook.keys.rotation - timedelta(seconds=1))
    await world.authenticator.authenticate(header)
    world.clock.move(timedelta(seconds=1))
    with pytest.raises(KeyRefused):
        await world.authenticator.authenticate(header)


async def test_a_wrong_secret_is_refused_where_the_right_one_is_remembered(world: World) -> None:
    account = await world.account("acme")
    await world.authenticator.authenticate(bearer(account.issued.text))
    with pytest.raises(KeyRefused):
        await world.authenticator.authenticate(bearer(draw(account.issued.key.id).text))
    await world.authenticator.authenticate(bearer(account.issued.text))


async def test_a_revoked_key_is_refused_at_once_here_and_within_two_seconds_elsewhere(
    world: World,
) -> None:
    account = await world.account("acme")
    header = bearer(account.issued.text)
    now = 100.0
    elsewhere = Authenticator(world.app, world.hasher, world.clock, monotonic=lambda: now)
    for authenticator in (world.authenticator, elsewhere):
        await authenticator.authenticate(header)
    async with world.app.tenant(account.tenant.id) as tx:
        await keys_in(world, tx).revoke(account.issued.key.id)
        world.authenticator.forget(account.tenant.id)
        # Not committed yet: still let in, but not remembered.
        await world.authenticator.authenticate(header)
    with pytest.raises(KeyRefused):
        await world.authenticator.authenticate(header)
    now = 101.9
    await elsewhere.authenticate(header)
    now = 102.0
    with pytest.raises(KeyRefused):
        await elsewhere.authenticate(header)


async def test_a_changed_role_holds_for_the_users_keys(world: World) -> None:
    account = await world.account("acme")
    async with world.app.tenant(account.tenant.id) as tx:
        users = Users(tx, world.clock)
        user = await users.create("dev@acme.example", "Dev", "developer", by=Role.OWNER)
        issued = await keys_in(world, tx).issue_to_user(user.email, by=Role.OWNER)
    assert (await fresh(world).authenticate(bearer(issued.text))).role is Role.DEVELOPER
    async with world.app.tenant(account.tenant.id) as tx:
        await Users(tx, world.clock).update(user.id, '"1"', by=Role.OWNER, role="viewer")
    assert (await fresh(world).authenticate(bearer(issued.text))).role is Role.VIEWER
    async with world.app.tenant(account.tenant.id) as tx:
        await Users(tx, world.clock).remove(user.id, None, by=Role.OWNER)
    with pytest.raises(KeyRefused):
        await fresh(world).authenticate(bearer(issued.text))


@pytest.mark.parametrize("service", [None, "ci"])
async def test_twenty_at_once_never_make_a_third_live_key(
    world: World, service: str | None
) -> None:
    account = await world.account("acme")

    async def issue() -> str:
        async with world.app.tenant(account.tenant.id) as tx:
            keys = keys_in(world, tx)
            if service is None:
                return (await keys.issue_to_user(account.owner.id, by=Role.OWNER)).text
            return (await keys.issue_to_service(service, "viewer", by=Role.OWNER)).text

    results = await asyncio.gather(*(issue() for _ in range(20)), return_exceptions=True)
    made = [text for text in results if isinstance(text, str)]
    assert len(made) == (1 if service is None else 2)
    assert all(isinstance(r, TooManyLiveKeys) for r in results if not isinstance(r, str))
    for text in made:
        await fresh(world).authenticate(bearer(text))


async def test_a_key_is_replaced_without_a_gap(world: World) -> None:
    account = await world.account("acme")
    first = account.issued
    async with world.app.tenant(account.tenant.id) as tx:
        second = await keys_in(world, tx).rotate(first.key.id)
    for text in (first.text, second.text):
        caller = await fresh(world).authenticate(bearer(text))
        assert caller.actor_id == account.owner.id
    async with world.app.tenant(account.tenant.id) as tx:
        with pytest.raises(TooManyLiveKeys):
            await keys_in(world, tx).rotate(first.key.id)
        await keys_in(world, tx).revoke(first.key.id)
        third = await keys_in(world, tx).rotate(second.key.id)
    with pytest.raises(KeyRefused):
        await fresh(world).authenticate(bearer(first.text))
    await fresh(world).authenticate(bearer(third.text))
    world.clock.move(world.playbook.keys.rotation)
    async with world.app.tenant(account.tenant.id) as tx:
        await keys_in(world, tx).issue_to_user(account.owner.id, by=Role.OWNER)


async def test_use_is_noted_by_the_hour_and_not_by_the_request(world: World) -> None:
    account = await world.account("acme")

    async def used_at() -> object:
        await fresh(world).authenticate(bearer(account.issued.text))
        async with world.app.tenant(account.tenant.id) as tx:
            return (await keys_in(world, tx).get(account.issued.key.id)).last_used_at

    start = world.clock.now()
    assert await used_at() == start
    world.clock.move(timedelta(minutes=59))
    assert await used_at() == start
    world.clock.move(timedelta(minutes=1))
    assert await used_at() == world.clock.now()


async def test_nobody_gives_or_takes_above_their_own_role(world: World) -> None:
    account = await world.account("acme")
    async with world.app.tenant(account.tenant.id) as tx:
        users, keys = Users(tx, world.clock), keys_in(world, tx)
        admin = await users.create("a@acme.example", "A", "admin", by=Role.OWNER)
        for attempt in (
            users.create("b@acme.example", "B", "owner", by=Role.ADMIN),
            users.update(admin.id, "*", by=Role.ADMIN, role="owner"),
            users.update(account.owner.id, "*", by=Role.ADMIN, role="viewer"),
            users.update(account.owner.id, "*", by=Role.ADMIN, email="mine@evil.example"),
            users.remove(account.owner.id, None, by=Role.ADMIN),
            keys.issue_to_user(account.owner.id, by=Role.ADMIN),
            keys.issue_to_service("ci", "owner", by=Role.ADMIN),
            keys.issue_to_service("ci", "operator", by=Role.DEVELOPER),
        ):
            with pytest.raises(RoleAboveOwn):
                await attempt


async def test_two_owners_who_leave_at_once_leave_one_behind(world: World) -> None:
    account = await world.account("acme")
    async with world.app.tenant(account.tenant.id) as tx:
        users = Users(tx, world.clock)
        second = await users.create("two@acme.example", "Two", "owner", by=Role.OWNER)

    async def step_down() -> None:
        async with world.app.tenant(account.tenant.id) as tx:
            await Users(tx, world.clock).update(second.id, "*", by=Role.OWNER, role="viewer")

    async with world.app.tenant(account.tenant.id) as tx:
        await Users(tx, world.clock).remove(account.owner.id, None, by=Role.OWNER)
        other = asyncio.create_task(step_down())
        done, _ = await asyncio.wait({other}, timeout=0.5)
        assert not done
    with pytest.raises(LastOwner):
        await other
    async with world.app.tenant(account.tenant.id) as tx:
        users_now = (await Users(tx, world.clock).list(Page())).items
    assert [user.role for user in users_now].count(Role.OWNER) == 1


async def test_a_new_installation_gets_one_tenant_however_often_it_starts(world: World) -> None:
    first = await asyncio.gather(*(bootstrap(world, tier="professional") for _ in range(4)))
    made = [account for account in first if account is not None]
    assert len(made) == 1
    assert await bootstrap(world, tier="free") is None
    caller = await fresh(world).authenticate(bearer(made[0].issued.text))
    assert (caller.tier, caller.role) == ("professional", Role.OWNER)
    async with world.operations.transaction() as tx:
        names = [t.name for t in (await Tenants(tx, world.clock).list(Page())).items]
    assert names == ["platform", "probe", "default"]


async def test_the_probe_has_one_key_at_a_time(world: World) -> None:
    first = await renew_probe_key(world)
    second = await renew_probe_key(world)
    with pytest.raises(KeyRefused):
        await world.authenticator.authenticate(bearer(first.text))
    caller = await world.authenticator.authenticate(bearer(second.text))
    assert (caller.tenant_id, caller.actor_id) == ("probe", second.key.id)
    for needed in ("agents:read", "policies:evaluate", "runs:start", "telemetry:read"):
        assert caller.permits(needed)
    assert not caller.permits("keys:write")


async def test_a_missing_key_is_said_to_be_missing(world: World) -> None:
    account = await world.account("acme")
    async with world.app.tenant(account.tenant.id) as tx:
        with pytest.raises(KeyMissing) as missing:
            await keys_in(world, tx).revoke("key_nope")
    assert isinstance(missing.value, Fact)
