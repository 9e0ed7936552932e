"""`mesh key`: a tenant's API keys."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import (
    Json,
    Tenant,
    acting,
    speak,
    table,
    tenant_named,
    with_mesh,
)

if TYPE_CHECKING:
    from ai_agent_mesh.product.identity import IssuedKey, IssuedView, Keys, KeyView
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command()
def create(
    tenant: Tenant,
    user: Annotated[str | None, typer.Option(help="For this user, by id or address.")] = None,
    service: Annotated[str | None, typer.Option(help="For a service of this name.")] = None,
    role: Annotated[str | None, typer.Option(help="The role of the service.")] = None,
    days: Annotated[
        float | None, typer.Option(help="How long it lives; usually as long as it may.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue a key to a user or a service, and show it this once."""
    if (user is None) == (service is None) or (role is None) != (service is None):
        raise typer.BadParameter("give --user, or --service with --role")

    async def issue(keys: "Keys") -> "IssuedKey":
        from ai_agent_mesh.product.identity import Role

        life = _life(days)
        if user is not None:
            return await keys.issue_to_user(user, life, by=Role.OWNER)
        return await keys.issue_to_service(service or "", role, life, by=Role.OWNER)

    async def work(mesh: "Mesh") -> "IssuedView":
        from ai_agent_mesh.product.identity import issued_view, key_terms, keys_in

        async with acting(mesh, await tenant_named(mesh, tenant), "key.create") as act:
            issued = await issue(keys_in(mesh, act.tx))
            act.object, act.detail = issued.key.id, {"role": issued.key.role.value}
        return issued_view(issued, mesh.clock.now(), key_terms(mesh.playbook))

    issued = with_mesh(work)
    speak(issued, as_json=as_json, text=lambda: issued.text)
    if not as_json:
        ends = f"{issued.key.expires_at:%Y-%m-%d}"
        typer.echo(f"{issued.key.id} ends on {ends}; its text is shown this once", err=True)


@app.command("list")
def list_(tenant: Tenant, as_json: Json = False) -> None:
    """List a tenant's keys, oldest first, with their age and last use."""

    async def work(mesh: "Mesh") -> list["KeyView"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.identity import key_terms, key_view, keys_in

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            found = await every(keys_in(mesh, tx).list)
        now, terms = mesh.clock.now(), key_terms(mesh.playbook)
        return [key_view(key, now, terms) for key in found]

    found = with_mesh(work)
    heads = ("id", "owner", "role", "state", "days left", "last used", "")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, [_row(k) for k in found]))


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, key_…")],
    tenant: Tenant,
) -> None:
    """End a key now; running processes let it in for two seconds more at the most."""

    async def work(mesh: "Mesh") -> None:
        from ai_agent_mesh.product.identity import keys_in

        async with acting(mesh, await tenant_named(mesh, tenant), "key.revoke") as act:
            act.object = (await keys_in(mesh, act.tx).revoke(key)).id

    with_mesh(work)
    typer.echo(f"{key} is revoked")


def _row(key: "KeyView") -> tuple[object, ...]:
    used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
    warning = "replace it now" if key.expires_soon else ""
    owner = key.user_id or key.service
    return key.id, owner, key.role.value, key.state, key.days_left, used, warning


def _life(days: float | None) -> timedelta | None:
    try:
        return None if days is None else timedelta(days=days)
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"{days} is not a number of days") from None
