"""`mesh subscription`: addresses that a tenant has told of what happens."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli.console import (
    Json,
    Tenant,
    acting,
    operator,
    speak,
    table,
    tenant_named,
    with_mesh,
)
from ai_agent_mesh.kernel.errors import Fault

if TYPE_CHECKING:
    from ai_agent_mesh.operations.notices import Draft, Subscribed, Subscription, Subscriptions
    from ai_agent_mesh.plumbing.postgres import Tx
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Subscriptions to notices.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The subscription's id, sub_…")]


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="Where messages go.")],
    tenant: Tenant,
    topic: Annotated[
        list[str] | None, typer.Option(help="What to hear of; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Subscribe an address, and show this once the secret that its messages are signed with."""
    draft = _draft(url=url, topics=topic or ["maintenance"])

    async def work(mesh: "Mesh") -> "Subscribed":
        async with acting(mesh, await tenant_named(mesh, tenant), "subscription.create") as act:
            made = await _subscriptions(mesh, act.tx).subscribe(draft)
            act.object = made.subscription.id
        return made

    made = with_mesh(work)
    speak(made, as_json=as_json, text=lambda: made.secret)
    if not as_json:
        typer.echo(f"{made.subscription.id}: its secret is shown this once", err=True)


@app.command("list")
def list_(tenant: Tenant, as_json: Json = False) -> None:
    """List a tenant's subscriptions, oldest first."""

    async def work(mesh: "Mesh") -> "list[Subscription]":
        from ai_agent_mesh.plumbing.http import page_of

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return list(await _subscriptions(mesh, tx).list(page_of()))

    found = with_mesh(work)
    rows = [(s.id, ",".join(s.topics), f"{s.created_at:%F %R}", s.url) for s in found]
    heads = ("id", "topics", "since", "url")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def show(subscription: Id, tenant: Tenant, as_json: Json = False) -> None:
    """Show one subscription."""

    async def work(mesh: "Mesh") -> "Subscription":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _subscriptions(mesh, tx).get(subscription)

    one = with_mesh(work)
    text = f"{one.id} tells {one.url} of {', '.join(one.topics)} since {one.created_at:%F %R} UTC"
    speak(one, as_json=as_json, text=lambda: text)


@app.command()
def delete(subscription: Id, tenant: Tenant) -> None:
    """End a subscription at once."""

    async def work(mesh: "Mesh") -> None:
        async with acting(mesh, await tenant_named(mesh, tenant), "subscription.delete") as act:
            act.object = (await _subscriptions(mesh, act.tx).delete(subscription)).id

    with_mesh(work)
    typer.echo(f"{subscription} is ended")


def _subscriptions(mesh: "Mesh", tx: "Tx") -> "Subscriptions":
    from ai_agent_mesh.operations.notices import Subscriptions

    return Subscriptions(tx, mesh.vault, mesh.clock, operator())


def _draft(**said: object) -> "Draft":
    from ai_agent_mesh.operations.notices import Draft, SubscriptionInvalid

    try:
        return msgspec.convert(said, Draft)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise SubscriptionInvalid(faults=[Fault(place.rstrip("`"), reason)]) from error
