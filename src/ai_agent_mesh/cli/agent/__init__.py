"""`mesh agent`: a tenant's agents, registered, looked at, changed, removed and called."""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli.agent.options import (
    Header,
    Label,
    Name,
    Price,
    Scheme,
    Secret,
    credential_of,
    labels_of,
    price_of,
)
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
    from ai_agent_mesh.product.agents import Agent, AgentView, Answer
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Agents: register, list, invoke.", no_args_is_help=True)

_ALL = 200


@app.command()
def register(
    url: Annotated[str, typer.Argument(help="Where it answers; for a2a also its card's address.")],
    *,
    tenant: Tenant,
    kind: Annotated[str, typer.Option(help="a2a, http or openai.")] = "a2a",
    name: Annotated[str | None, typer.Option(help="An a2a agent's card may supply it.")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    label: Label = None,
    model: Annotated[str | None, typer.Option(help="For openai.")] = None,
    system_prompt: Annotated[str | None, typer.Option(help="For openai.")] = None,
    credential_from: Secret = None,
    header: Header = "Authorization",
    scheme: Scheme = "Bearer",
    idempotent: Annotated[bool, typer.Option(help="It may be asked again when in doubt.")] = False,
    timeout_s: Annotated[float | None, typer.Option(help="Seconds for an answer.")] = None,
    price: Price = None,
    as_json: Json = False,
) -> None:
    """Register an agent; an a2a agent is described by its own card."""
    from ai_agent_mesh.product.agents import Draft, Kind, view

    if kind not in set(Kind):
        raise typer.BadParameter(f"must be one of {', '.join(Kind)}", param_hint="--kind")
    draft: Draft = Draft(
        kind=Kind(kind),
        url=url,
        name=name,
        description=description,
        labels=labels_of(label),
        model=model,
        system_prompt=system_prompt,
        credential=credential_of(credential_from, header, scheme),
        idempotent=idempotent,
        timeout_s=timeout_s,
        price=price_of(price),
    )

    async def work(mesh: "Mesh") -> "AgentView":
        async with acting(mesh, await tenant_named(mesh, tenant), "agent.register") as act:
            agent = await mesh.registrar.register(act.unit, draft)
            act.object, act.detail = agent.id, {"name": agent.name}
        return view(agent, card=True)

    made = with_mesh(work)
    speak(made, as_json=as_json, text=lambda: f"{made.id}  {made.name}")


@app.command("list")
def list_(
    tenant: Tenant,
    kind: Annotated[str | None, typer.Option(help="a2a, http or openai.")] = None,
    label: Label = None,
    health: Annotated[str | None, typer.Option(help="healthy, unhealthy or unknown.")] = None,
    name_prefix: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """List agents, oldest first."""
    from ai_agent_mesh.product.agents import filters_of

    filters = filters_of(kind, label or (), health, name_prefix)

    async def work(mesh: "Mesh") -> "list[AgentView]":
        from ai_agent_mesh.plumbing.http import Page
        from ai_agent_mesh.product.agents import Agents, view

        found: list[Agent] = []
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            agents = Agents(tx, mesh.vault)
            while True:
                after = found[-1].id if found else None
                part = await agents.list(filters, Page(_ALL, after))
                found += part[:_ALL]
                if len(part) <= _ALL:
                    return [view(agent) for agent in found]

    found = with_mesh(work)
    rows = [(a.name, a.kind.value, a.health.state.value, a.url, a.id) for a in found]
    heads = ("name", "kind", "health", "address", "id")
    speak(found, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def show(agent: Name, tenant: Tenant, as_json: Json = False) -> None:
    """Show an agent with its card; its credential is not shown anywhere."""

    async def work(mesh: "Mesh") -> "AgentView":
        from ai_agent_mesh.product.agents import Agents, view

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return view(await Agents(tx, mesh.vault).get(agent), card=True)

    found = with_mesh(work)
    speak(found, as_json=as_json, text=lambda: _described(found))


@app.command()
def update(
    agent: Name,
    *,
    tenant: Tenant,
    url: Annotated[str | None, typer.Option()] = None,
    name: Annotated[str | None, typer.Option()] = None,
    description: Annotated[str | None, typer.Option()] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="name=value, or name= to take it off.")
    ] = None,
    model: Annotated[str | None, typer.Option()] = None,
    system_prompt: Annotated[str | None, typer.Option()] = None,
    credential_from: Secret = None,
    header: Header = "Authorization",
    scheme: Scheme = "Bearer",
    no_credential: Annotated[bool, typer.Option("--no-credential", help="Forget it.")] = False,
    idempotent: Annotated[bool | None, typer.Option()] = None,
    timeout_s: Annotated[float | None, typer.Option()] = None,
    price: Price = None,
    as_json: Json = False,
) -> None:
    """Change what is given and leave the rest."""
    from ai_agent_mesh.product.agents import Change, view

    given = {
        "url": url,
        "name": name,
        "description": description,
        "model": model,
        "system_prompt": system_prompt,
        "credential": credential_of(credential_from, header, scheme),
        "idempotent": idempotent,
        "timeout_s": timeout_s,
        "price": price_of(price),
        "labels": {key: value or None for key, value in labels_of(label).items()} or None,
    }
    fields: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    if no_credential:
        fields["credential"] = None
    change: Change = msgspec.structs.replace(Change(), **fields)

    async def work(mesh: "Mesh") -> "AgentView":
        async with acting(mesh, await tenant_named(mesh, tenant), "agent.update") as act:
            changed = await mesh.registrar.change(act.unit, agent, change, "*")
            act.object, act.detail = changed.id, {"version": str(changed.version)}
        return view(changed, card=True)

    changed = with_mesh(work)
    speak(changed, as_json=as_json, text=lambda: f"{changed.name} is at version {changed.version}")


@app.command()
def refresh(agent: Name, tenant: Tenant, as_json: Json = False) -> None:
    """Read an a2a agent's card again."""

    async def work(mesh: "Mesh") -> "AgentView":
        from ai_agent_mesh.product.agents import view

        async with acting(mesh, await tenant_named(mesh, tenant), "agent.refresh") as act:
            found = await mesh.registrar.refresh(act.unit, agent)
            act.object = found.id
        return view(found, card=True)

    found = with_mesh(work)
    speak(found, as_json=as_json, text=lambda: f"the card of {found.name} is read")


@app.command()
def delete(agent: Name, tenant: Tenant, as_json: Json = False) -> None:
    """Remove an agent and its credential."""

    async def work(mesh: "Mesh") -> "AgentView":
        from ai_agent_mesh.product.agents import Agents, view

        async with acting(mesh, await tenant_named(mesh, tenant), "agent.delete") as act:
            gone = await Agents(act.tx, mesh.vault).delete(agent, None)
            act.object, act.detail = gone.id, {"name": gone.name}
        return view(gone)

    gone = with_mesh(work)
    speak(gone, as_json=as_json, text=lambda: f"{gone.name} is removed")


@app.command()
def invoke(
    agent: Name,
    given: Annotated[str, typer.Argument(metavar="INPUT", help="A text, or - for stdin.")],
    tenant: Tenant,
    data: Annotated[bool, typer.Option("--data", help="The input is JSON, not a text.")] = False,
    timeout_s: Annotated[float | None, typer.Option()] = None,
    idempotency_key: Annotated[str | None, typer.Option()] = None,
    role: Annotated[str, typer.Option(help="The role that the policies see.")] = "operator",
    as_json: Json = False,
) -> None:
    """Call an agent, if the tenant's policies let the operator ask it."""
    text = sys.stdin.read() if given == "-" else given
    try:
        said = msgspec.json.decode(text) if data else text
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint="INPUT") from error

    async def work(mesh: "Mesh") -> "Answer":
        from ai_agent_mesh.plumbing.http import Unit
        from ai_agent_mesh.product.agents import Asker, Invocation
        from ai_agent_mesh.product.governance import ActorRef

        tenant_id = await tenant_named(mesh, tenant)
        unit = Unit(mesh.app, tenant_id)
        asker = Asker(principal=ActorRef(id="console", role=role), tier="")
        wish = Invocation(input=said, timeout_s=timeout_s, idempotency_key=idempotency_key)
        try:
            answer = await mesh.invoker.invoke(unit, asker, agent, wish)
            await unit.settle()
        finally:
            await unit.undo()
        async with acting(mesh, tenant_id, "agent.invoke") as act:
            act.object, act.detail = agent, {"trace": answer.trace_id}
        return answer

    answer = with_mesh(work)
    speak(answer, as_json=as_json, text=lambda: answer.text)


def _described(agent: "AgentView") -> str:
    rows = [
        ("id", agent.id),
        ("name", agent.name),
        ("kind", agent.kind.value),
        ("address", agent.url),
        ("description", agent.description),
        ("labels", ", ".join(f"{key}={value}" for key, value in agent.labels.items())),
        ("credential", "set" if agent.credential.set else "none"),
        ("health", f"{agent.health.state.value} {agent.health.error or ''}".strip()),
        ("version", agent.version),
    ]
    if agent.card:
        skills = [str(skill.get("name", skill.get("id"))) for skill in agent.card.get("skills", ())]
        rows.append(("skills", ", ".join(skills)))
    return table(("what", "value"), rows)
