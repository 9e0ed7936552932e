"""How a tenant begins: with its first owner and that owner's first key."""

from dataclasses import dataclass
from datetime import timedelta

from ai_agent_mesh.evidence import PROBE_TENANT
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity.keys import Keys
from ai_agent_mesh.product.identity.model import IssuedKey, Tenant, User
from ai_agent_mesh.product.identity.ports import Wiring
from ai_agent_mesh.product.identity.roles import Role
from ai_agent_mesh.product.identity.rules import key_terms
from ai_agent_mesh.product.identity.scope import scoped
from ai_agent_mesh.product.identity.tenants import Tenants
from ai_agent_mesh.product.identity.users import Users
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind

OPERATOR = "operator"
_PROBE_SERVICE = "probe"


@dataclass(frozen=True, slots=True)
class Account:
    """A new tenant, its first owner, and the owner's first key."""

    tenant: Tenant
    owner: User
    issued: IssuedKey


async def open_account(
    mesh: Wiring,
    tx: Tx,
    name: str,
    tier: str,
    *,
    email: str,
    person: str,
    monthly_fee: Money | None = None,
) -> Account:
    """Make a tenant with an owner (address and name) and a key, all or none.

    Raises:
        TenantInvalid, TenantNameTaken, UserInvalid
    """
    tenant = await Tenants(tx, mesh.clock, mesh.on_tenant_created).create(name, tier, monthly_fee)
    async with scoped(tx, tenant.id) as inner:
        owner = await Users(inner, mesh.clock).create(email, person, Role.OWNER, by=Role.OWNER)
        issued = await keys_in(mesh, inner).issue_to_user(owner.id, by=Role.OWNER)
    return Account(tenant, owner, issued)


async def bootstrap(mesh: Wiring, *, tier: str, name: str = "default") -> Account | None:
    """Give a new installation its first ordinary tenant; None where it has one already.

    The key's text is in the answer and nowhere else.
    """
    async with mesh.app.transaction() as tx:
        # Two processes that start on one new database make one tenant between them.
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('identity bootstrap', 0))")
        if await _has_tenants(mesh):
            return None
        account = await open_account(
            mesh, tx, name, tier, email="owner@localhost", person="The owner"
        )
        async with scoped(tx, account.tenant.id) as inner:
            await _leave_act(mesh, inner, "tenant.create", account.tenant.id, name=name, tier=tier)
            await _leave_act(mesh, inner, "key.create", account.issued.key.id)
    return account


async def renew_probe_key(mesh: Wiring, valid_for: timedelta | None = None) -> IssuedKey:
    """End the probe's older keys and give it a new one, with the role of a developer."""
    async with mesh.app.tenant(PROBE_TENANT) as tx:
        keys = keys_in(mesh, tx)
        ended = await keys.revoke_service(_PROBE_SERVICE)
        issued = await keys.issue_to_service(
            _PROBE_SERVICE, Role.DEVELOPER, valid_for, by=Role.OWNER
        )
        await _leave_act(mesh, tx, "key.create", issued.key.id, ended=str(ended))
    mesh.authenticator.forget(PROBE_TENANT)
    return issued


def keys_in(mesh: Wiring, tx: Tx) -> Keys:
    """Return the keys of the transaction's tenant, under the playbook in force."""
    return Keys(tx, mesh.hasher, key_terms(mesh.playbook), mesh.clock)


async def _leave_act(mesh: Wiring, tx: Tx, act: str, subject: str, **detail: str) -> None:
    """Write into the ledger, with the change itself, what the operator did at this machine."""
    entry = Entry(
        id=new_id("ent"),
        kind=Kind.ACT,
        tenant=tx.tenant_id,
        at=mesh.clock.now(),
        actor=OPERATOR,
        object=subject,
        playbook=mesh.playbook.digest,
        detail={"act": act, **detail},
    )
    await Inbox.insert(tx, entry)


async def _has_tenants(mesh: Wiring) -> bool:
    async with mesh.operations.transaction() as tx:
        return bool(await tx.fetchval("SELECT EXISTS (SELECT FROM tenant WHERE id LIKE 'tnt\\_%')"))
