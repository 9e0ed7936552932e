"""`mesh policy`: a tenant's Cedar policies, their history, and what they decide."""

from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Json, Tenant, acting, speak, table, tenant_named, with_mesh

if TYPE_CHECKING:
    from ai_agent_mesh.plumbing.postgres import Tx
    from ai_agent_mesh.product.governance import Decision, Policies, Policy, PolicyVersion, Question
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Cedar policies and decisions.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The policy's name.")]
Label = Annotated[
    list[str] | None, typer.Option("--label", help="A label, as name=value; may be repeated.")
]
Fact = Annotated[
    list[str] | None, typer.Option("--fact", help="A fact, as name=value; may be repeated.")
]
_ALL = 1_000_000


@app.command("list")
def list_(tenant: Tenant, json: Json = False) -> None:
    """List the policies of a tenant."""

    async def work(mesh: "Mesh") -> "list[Policy]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _policies(mesh, tx).page(limit=_ALL)

    found = with_mesh(work)
    heads = ("name", "version", "in force", "changed", "description")
    rows = [
        (p.name, p.version, "yes" if p.enabled else "no", f"{p.updated_at:%F %R}", p.description)
        for p in found
    ]
    speak(found, as_json=json, text=lambda: table(heads, rows))


@app.command()
def show(name: Name, tenant: Tenant, json: Json = False) -> None:
    """Print a policy's text."""

    async def work(mesh: "Mesh") -> "Policy":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _policies(mesh, tx).get(name)

    policy = with_mesh(work)
    speak(policy, as_json=json, text=lambda: policy.text)


@app.command()
def put(
    name: Name,
    file: Annotated[typer.FileText, typer.Argument(help="A file with one statement; - is stdin.")],
    tenant: Tenant,
    description: Annotated[str | None, typer.Option(help="Default: its first comment.")] = None,
    enabled: Annotated[bool, typer.Option(help="Whether it is in force.")] = True,
    version: Annotated[
        int | None, typer.Option(help="Replace only this version (default: the present one).")
    ] = None,
    json: Json = False,
) -> None:
    """Create a policy or replace it."""
    text = file.read()

    async def work(mesh: "Mesh") -> "Policy":
        tenant_id = await tenant_named(mesh, tenant)
        async with acting(mesh, tenant_id, "policy.put") as act:
            policies = _policies(mesh, act.tx)
            match = await _present(policies, name) if version is None else f'"{version}"'
            policy = await policies.put(
                name, text, description=description, enabled=enabled, if_match=match
            )
            act.object, act.detail = policy.id, {"version": str(policy.version)}
            return policy

    policy = with_mesh(work)
    speak(policy, as_json=json, text=lambda: f"{policy.name} is at version {policy.version}")


@app.command()
def delete(name: Name, tenant: Tenant, json: Json = False) -> None:
    """Take a policy out of force; its history stays."""

    async def work(mesh: "Mesh") -> "Policy":
        tenant_id = await tenant_named(mesh, tenant)
        async with acting(mesh, tenant_id, "policy.delete") as act:
            policy = await _policies(mesh, act.tx).delete(name, if_match="*")
            act.object = policy.id
            return policy

    policy = with_mesh(work)
    speak(policy, as_json=json, text=lambda: f"{policy.name} is deleted")


@app.command()
def history(name: Name, tenant: Tenant, json: Json = False) -> None:
    """List every version that a policy had, the latest first."""

    async def work(mesh: "Mesh") -> "list[PolicyVersion]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _policies(mesh, tx).history(name, limit=_ALL)

    found = with_mesh(work)
    heads = ("version", "set", "at", "by", "state")
    rows = [(v.version, v.set_version, f"{v.at:%F %T}", v.by, _state(v)) for v in found]
    speak(found, as_json=json, text=lambda: table(heads, rows))


@app.command()
def evaluate(
    action: Annotated[str, typer.Argument(help="invokeAgent, callHttp or startRun.")],
    *,
    tenant: Tenant,
    role: Annotated[str, typer.Option(help="The role of the person who asks.")] = "operator",
    by_workflow: Annotated[str | None, typer.Option(help="Or the workflow that asks.")] = None,
    agent: Annotated[str | None, typer.Option(help="The agent's name.")] = None,
    url: Annotated[str | None, typer.Option(help="The address.")] = None,
    workflow: Annotated[str | None, typer.Option(help="The workflow to start.")] = None,
    label: Label = None,
    fact: Fact = None,
    json: Json = False,
) -> None:
    """Ask the gate what it would decide; the question is recorded like any other."""
    question = _question(action, (role, by_workflow), (agent, url, workflow), label, fact)

    async def work(mesh: "Mesh") -> "Decision":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await mesh.gate.decide(tx, question)

    decision = with_mesh(work)
    word = "allow" if decision.allowed else "deny"
    speak(decision, as_json=json, text=lambda: "\n".join([word, *decision.reasons]))


@app.command()
def schema() -> None:
    """Print what policies may speak about, in Cedar's schema language."""
    from ai_agent_mesh.product.governance import schema_text

    print(schema_text(), end="")


def _policies(mesh: "Mesh", tx: "Tx") -> "Policies":
    from ai_agent_mesh.product.governance import Policies

    return Policies(tx, clock=mesh.clock)


async def _present(policies: "Policies", name: str) -> str | None:
    from ai_agent_mesh.product.governance import PolicyMissing

    try:
        return f'"{(await policies.get(name)).version}"'
    except PolicyMissing:
        return None


def _state(version: "PolicyVersion") -> str:
    if version.deleted:
        return "deleted"
    return "in force" if version.enabled else "not in force"


def _question(
    action: str,
    who: tuple[str, str | None],
    what: tuple[str | None, str | None, str | None],
    labels: list[str] | None,
    facts: list[str] | None,
) -> "Question":
    from ai_agent_mesh.product.governance import (
        Action,
        ActorRef,
        AgentRef,
        Context,
        EndpointRef,
        Question,
        WorkflowRef,
    )

    if action not in set(Action) or sum(part is not None for part in what) != 1:
        raise typer.BadParameter(
            f"say what ({', '.join(Action)}), and to one of --agent, --url, --workflow"
        )
    (role, flow), (agent, url, workflow) = who, what
    tags = _pairs(labels)
    principal = WorkflowRef(name=flow, labels=tags) if flow else ActorRef(id="console", role=role)
    resource: AgentRef | EndpointRef | WorkflowRef
    if agent is not None:
        resource = AgentRef(id=agent, name=agent, kind="", labels=tags)
    elif url is not None:
        resource = EndpointRef.of(url)
    else:
        resource = WorkflowRef(name=workflow or "", labels=tags)
    known = {k: int(v) if v.lstrip("-").isdecimal() else v for k, v in _pairs(facts).items()}
    return Question(principal, Action(action), resource, Context("", known))


def _pairs(texts: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    if any(not sign for _, sign, _ in pairs):
        raise typer.BadParameter("write name=value")
    return {name: value for name, _, value in pairs}
