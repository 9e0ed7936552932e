"""`mesh user`: the people of a tenant."""

from typing import TYPE_CHECKING, Annotated

import msgspec
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
    from ai_agent_mesh.product.identity import User
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Users and their roles.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="USER", help="The user's id or address.")]
_ROLES = "owner, admin, developer, operator, auditor or viewer."


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The user's address.")],
    tenant: Tenant,
    name: Annotated[str, typer.Option(help="The user's name.")],
    role: Annotated[str, typer.Option(help=_ROLES)] = "viewer",
    as_json: Json = False,
) -> None:
    """Add a user to a tenant."""

    async def work(mesh: "Mesh") -> "User":
        from ai_agent_mesh.product.identity import Role, Users

        async with acting(mesh, await tenant_named(mesh, tenant), "user.create") as act:
            user = await Users(act.tx, mesh.clock).create(email, name, role, by=Role.OWNER)
            act.object, act.detail = user.id, {"role": user.role.value}
        return user

    user = with_mesh(work)
    speak(user, as_json=as_json, text=lambda: f"{user.email}  {user.id}  {user.role.value}")


@app.command("list")
def list_(tenant: Tenant, as_json: Json = False) -> None:
    """List a tenant's users, oldest first."""

    async def work(mesh: "Mesh") -> list["User"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.identity import Users

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await every(Users(tx, mesh.clock).list)

    found = with_mesh(work)
    rows = [(u.id, u.email, u.name, u.role.value) for u in found]
    heads = ("id", "email", "name", "role")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def update(
    user: Named,
    tenant: Tenant,
    email: Annotated[str | None, typer.Option(help="The new address.")] = None,
    name: Annotated[str | None, typer.Option(help="The new name.")] = None,
    role: Annotated[str | None, typer.Option(help=_ROLES)] = None,
    as_json: Json = False,
) -> None:
    """Change a user's address, name or role; the role holds for the user's keys at once."""

    async def work(mesh: "Mesh") -> "User":
        from ai_agent_mesh.product.identity import Role, Users

        async with acting(mesh, await tenant_named(mesh, tenant), "user.update") as act:
            users = Users(act.tx, mesh.clock)
            changed = await users.update(
                (await users.get(user)).id,
                "*",
                by=Role.OWNER,
                email=msgspec.UNSET if email is None else email,
                name=msgspec.UNSET if name is None else name,
                role=msgspec.UNSET if role is None else role,
            )
            act.object, act.detail = changed.id, {"role": changed.role.value}
        return changed

    changed = with_mesh(work)
    speak(changed, as_json=as_json, text=lambda: f"{changed.email} is {changed.role.value}")


@app.command()
def remove(user: Named, tenant: Tenant) -> None:
    """Remove a user and the user's keys."""

    async def work(mesh: "Mesh") -> "User":
        from ai_agent_mesh.product.identity import Role, Users

        async with acting(mesh, await tenant_named(mesh, tenant), "user.remove") as act:
            users = Users(act.tx, mesh.clock)
            gone = await users.remove((await users.get(user)).id, None, by=Role.OWNER)
            act.object, act.detail = gone.id, {"role": gone.role.value}
        return gone

    typer.echo(f"{with_mesh(work).email} is removed")
