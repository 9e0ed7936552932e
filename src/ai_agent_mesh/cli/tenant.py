"""`mesh tenant`: the operator's tenants."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli.console import Json, acting, speak, table, tenant_named, with_mesh
from ai_agent_mesh.kernel.money import Money

if TYPE_CHECKING:
    from ai_agent_mesh.product.identity import Allowed, OpenedView, TenantView
    from ai_agent_mesh.product.identity import Tenant as TenantRow
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Tenants and their tiers.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="TENANT", help="Its id or name.")]
Tier = Annotated[str, typer.Option(help="free, professional or enterprise.")]
Fee = Annotated[str | None, typer.Option(help="What it pays a month: 5000.00 or 5000.00 CHF.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name that no other tenant has.")],
    tier: Tier = "free",
    fee: Fee = None,
    owner: Annotated[str, typer.Option(help="The first owner's address.")] = "owner@localhost",
    owner_name: Annotated[str, typer.Option(help="The first owner's name.")] = "The owner",
    as_json: Json = False,
) -> None:
    """Make a tenant with an owner, and show the owner's first key this once."""

    async def work(mesh: "Mesh") -> "OpenedView":
        from ai_agent_mesh.product.identity import (
            PLATFORM_TENANT,
            OpenedView,
            issued_view,
            key_terms,
            open_account,
        )

        async with acting(mesh, PLATFORM_TENANT, "tenant.create") as act:
            account = await open_account(
                mesh,
                act.tx,
                name,
                tier,
                email=owner,
                person=owner_name,
                monthly_fee=_amount(fee),
            )
            act.object = account.tenant.id
            act.detail = {"name": name, "tier": tier}
        issued = issued_view(account.issued, mesh.clock.now(), key_terms(mesh.playbook))
        return OpenedView(tenant=account.tenant, owner=account.owner, issued=issued)

    made = with_mesh(work)
    speak(made, as_json=as_json, text=lambda: _welcome(made))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all tenants, the built-in ones first."""

    async def work(mesh: "Mesh") -> list["TenantRow"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.identity import Tenants

        async with mesh.operations.transaction() as tx:
            return await every(Tenants(tx, mesh.clock).list)

    found = with_mesh(work)
    heads = ("id", "name", "tier", "fee", "since")
    rows = [(t.id, t.name, t.tier, t.monthly_fee, f"{t.created_at:%Y-%m-%d}") for t in found]
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def show(tenant: Named, as_json: Json = False) -> None:
    """Show a tenant and the terms it was on."""

    async def work(mesh: "Mesh") -> "TenantView":
        from ai_agent_mesh.product.identity import Tenants, tenant_view

        async with mesh.operations.transaction() as tx:
            tenants = Tenants(tx, mesh.clock)
            found = await tenants.get(tenant)
            return tenant_view(found, await tenants.terms(found.id), mesh.playbook)

    view = with_mesh(work)
    rows = [(f"{t.since:%Y-%m-%d %H:%M}", t.tier, t.monthly_fee) for t in view.terms]
    title = f"{view.tenant.name}  {view.tenant.id}  {_allowed(view.allowed)}\n\n"
    speak(view, as_json=as_json, text=lambda: title + table(("since", "tier", "fee"), rows))


@app.command()
def update(
    tenant: Named,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    tier: Annotated[str | None, typer.Option(help="free, professional or enterprise.")] = None,
    fee: Fee = None,
    no_fee: Annotated[bool, typer.Option("--no-fee", help="No contract says a fee.")] = False,
    as_json: Json = False,
) -> None:
    """Change a tenant's name, tier or fee; a new tier holds from now on."""
    if no_fee and fee is not None:
        raise typer.BadParameter("give --fee or --no-fee, not both")

    async def work(mesh: "Mesh") -> "TenantRow":
        from ai_agent_mesh.product.identity import Tenants

        tenant_id = await tenant_named(mesh, tenant)
        async with acting(mesh, tenant_id, "tenant.update") as act:
            changed = await Tenants(act.tx, mesh.clock).update(
                tenant_id,
                "*",
                name=msgspec.UNSET if name is None else name,
                tier=msgspec.UNSET if tier is None else tier,
                monthly_fee=msgspec.UNSET if fee is None and not no_fee else _amount(fee),
            )
            act.object = tenant_id
            act.detail = {"name": changed.name, "tier": changed.tier.value}
        return changed

    changed = with_mesh(work)
    speak(changed, as_json=as_json, text=lambda: f"{changed.name} is on {changed.tier.value}")


def _amount(text: str | None) -> Money | None:
    if text is None:
        return None
    amount, _, currency = text.strip().partition(" ")
    try:
        return Money(Decimal(amount), currency) if currency else Money(Decimal(amount))
    except InvalidOperation:
        reason = "is not an amount such as 5000.00 or 5000.00 CHF"
        raise typer.BadParameter(f"{text!r} {reason}") from None


def _allowed(allowed: "Allowed") -> str:
    limit = allowed.requests_per_minute
    much = "any number of requests" if limit is None else f"{limit} requests a minute"
    return much + ", within fair use" * allowed.fair_use


def _welcome(made: "OpenedView") -> str:
    text = made.issued.text if made.issued else ""
    return (
        f"{made.tenant.name}  {made.tenant.id}  {made.tenant.tier.value}\n"
        f"The owner's key, shown this once:\n{text}"
    )
