"""Identity over HTTP: the caller, the tenant's keys and users, and the operators' tenants."""

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from ai_agent_mesh.plumbing.http import Cursor, IfMatch, Limit, Paged, Unit, Work, page_of, tag
from ai_agent_mesh.product.identity.accounts import keys_in, open_account
from ai_agent_mesh.product.identity.facts import KeyInvalid, KeyRefused
from ai_agent_mesh.product.identity.model import IssuedKey, Principal, Tenant, User
from ai_agent_mesh.product.identity.ports import Wiring
from ai_agent_mesh.product.identity.rules import key_terms
from ai_agent_mesh.product.identity.tenants import Tenants
from ai_agent_mesh.product.identity.users import Users
from ai_agent_mesh.product.identity.views import (
    CallerView,
    IssuedView,
    KeyView,
    NewKey,
    NewTenant,
    NewUser,
    OpenedView,
    TenantChange,
    TenantView,
    UserChange,
    caller_view,
    issued_view,
    key_view,
    tenant_view,
)

Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]


@get("/v1/auth/whoami", summary="Tell who the caller is and what they may do")
async def whoami(principal: Caller, mesh: Wired) -> CallerView:
    """Return the caller's tenant, role, permissions, and when the key ends."""
    return caller_view(principal, mesh.clock.now(), key_terms(mesh.playbook))


@post("/v1/auth/rotate", summary="Issue a second key, to replace the one in use")
async def rotate_key(unit: Work, principal: Caller, mesh: Wired) -> IssuedView:
    """Return a new key with the same rights; the present one lives on until revoked or expired."""
    if principal.key_id is None:
        raise KeyRefused
    issued = await keys_in(mesh, await unit.begin()).rotate(principal.key_id)
    return _shown(unit, mesh, issued)


@post("/v1/keys", summary="Issue a key to a user or a service")
async def issue_key(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[NewKey]
) -> IssuedView:
    """Return the new key with its text, which is shown this once."""
    keys = keys_in(mesh, await unit.begin())
    if data.service is not None and data.user_id is None:
        issued = await keys.issue_to_service(data.service, data.role, data.life, by=principal.role)
    elif data.service is None and data.role is None:
        owner = data.user_id or principal.actor_id
        issued = await keys.issue_to_user(owner, data.life, by=principal.role)
    else:
        raise KeyInvalid("Name a user_id alone, or a service with its role.")
    return _shown(unit, mesh, issued)


@get("/v1/keys", summary="List the tenant's keys, oldest first")
async def list_keys(
    unit: Work, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[KeyView]:
    """Return a page of keys without their secrets, the ended ones too."""
    found = await keys_in(mesh, await unit.begin()).list(page_of(limit, cursor))
    now, terms = mesh.clock.now(), key_terms(mesh.playbook)
    return Paged([key_view(key, now, terms) for key in found.items], found.next_cursor)


@delete("/v1/keys/{key_id:str}", status_code=200, summary="Revoke a key")
async def revoke_key(unit: Work, principal: Caller, mesh: Wired, key_id: FromPath[str]) -> KeyView:
    """Return the key as it ended; revoking it again changes nothing."""
    key = await keys_in(mesh, await unit.begin()).revoke(key_id)
    mesh.authenticator.forget(principal.tenant_id)
    unit.object = key.id
    return key_view(key, mesh.clock.now(), key_terms(mesh.playbook))


@post("/v1/users", summary="Add a user")
async def add_user(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[NewUser]
) -> Response[User]:
    """Return the new user."""
    users = Users(await unit.begin(), mesh.clock)
    user = await users.create(data.email, data.name, data.role, by=principal.role)
    unit.object = user.id
    return Response(user, headers={"ETag": tag(user.version)})


@get("/v1/users", summary="List the tenant's users, oldest first")
async def list_users(
    unit: Work, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[User]:
    """Return a page of users."""
    return await Users(await unit.begin(), mesh.clock).list(page_of(limit, cursor))


@get("/v1/users/{user_id:str}", summary="Read a user")
async def read_user(unit: Work, mesh: Wired, user_id: FromPath[str]) -> Response[User]:
    """Return a user."""
    user = await Users(await unit.begin(), mesh.clock).get(user_id)
    return Response(user, headers={"ETag": tag(user.version)})


@patch("/v1/users/{user_id:str}", summary="Change a user's address, name or role")
async def change_user(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    user_id: FromPath[str],
    data: JSONBody[UserChange],
    if_match: IfMatch = None,
) -> Response[User]:
    """Return the user as changed; a new role holds for the user's keys at once."""
    user = await Users(await unit.begin(), mesh.clock).update(
        user_id, if_match, by=principal.role, email=data.email, name=data.name, role=data.role
    )
    mesh.authenticator.forget(principal.tenant_id)
    unit.object = user.id
    return Response(user, headers={"ETag": tag(user.version)})


@delete("/v1/users/{user_id:str}", summary="Remove a user and the user's keys")
async def remove_user(
    unit: Work, principal: Caller, mesh: Wired, user_id: FromPath[str], if_match: IfMatch = None
) -> None:
    """Remove the user; the user's keys let nobody in any more."""
    users = Users(await unit.begin(), mesh.clock)
    user = await users.remove(user_id, if_match, by=principal.role)
    mesh.authenticator.forget(principal.tenant_id)
    unit.object = user.id


@get("/v1/tenant", summary="Read the caller's own tenant")
async def read_own_tenant(unit: Work, principal: Caller, mesh: Wired) -> Response[TenantView]:
    """Return the tenant, what its tier allows, and its terms over time."""
    return await _tenant(mesh, Tenants(await unit.begin(), mesh.clock), principal.tenant_id)


@post("/v1/tenants", summary="Make a tenant")
async def make_tenant(unit: Work, mesh: Wired, data: JSONBody[NewTenant]) -> OpenedView:
    """Return the new tenant, and with an owner asked for, the owner's first key."""
    tx = await unit.begin()
    if data.owner is None:
        tenants = Tenants(tx, mesh.clock, mesh.on_tenant_created)
        tenant = await tenants.create(data.name, data.tier, data.monthly_fee)
        unit.object = tenant.id
        return OpenedView(tenant=tenant)
    account = await open_account(
        mesh,
        tx,
        data.name,
        data.tier,
        email=data.owner.email,
        person=data.owner.name,
        monthly_fee=data.monthly_fee,
    )
    unit.object = account.tenant.id
    issued = issued_view(account.issued, mesh.clock.now(), key_terms(mesh.playbook))
    return OpenedView(tenant=account.tenant, owner=account.owner, issued=issued)


@get("/v1/tenants", summary="List all tenants, oldest first")
async def list_tenants(mesh: Wired, limit: Limit = None, cursor: Cursor = None) -> Paged[Tenant]:
    """Return a page of tenants, the built-in ones first."""
    async with mesh.operations.transaction() as tx:
        return await Tenants(tx, mesh.clock).list(page_of(limit, cursor))


@get("/v1/tenants/{tenant_id:str}", summary="Read a tenant")
async def read_tenant(mesh: Wired, tenant_id: FromPath[str]) -> Response[TenantView]:
    """Return any tenant, what its tier allows, and its terms over time."""
    async with mesh.operations.transaction() as tx:
        return await _tenant(mesh, Tenants(tx, mesh.clock), tenant_id)


@patch("/v1/tenants/{tenant_id:str}", summary="Change a tenant's name, tier or fee")
async def change_tenant(
    unit: Work,
    mesh: Wired,
    tenant_id: FromPath[str],
    data: JSONBody[TenantChange],
    if_match: IfMatch = None,
) -> Response[Tenant]:
    """Return the tenant as changed; a new tier holds from now on."""
    tenant = await Tenants(await unit.begin(), mesh.clock).update(
        tenant_id, if_match, name=data.name, tier=data.tier, monthly_fee=data.monthly_fee
    )
    mesh.authenticator.forget(tenant.id)
    unit.object = tenant.id
    return Response(tenant, headers={"ETag": tag(tenant.version)})


async def _tenant(mesh: Wired, tenants: Tenants, tenant_id: str) -> Response[TenantView]:
    tenant = await tenants.get(tenant_id)
    view = tenant_view(tenant, await tenants.terms(tenant.id), mesh.playbook)
    return Response(view, headers={"ETag": tag(tenant.version)})


def _shown(unit: Unit, mesh: Wired, issued: IssuedKey) -> IssuedView:
    unit.object = issued.key.id
    return issued_view(issued, mesh.clock.now(), key_terms(mesh.playbook))
