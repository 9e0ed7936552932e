"""`mesh run`: a tenant's runs and the approvals they wait for."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from ai_agent_mesh.product.identity import Principal
    from ai_agent_mesh.product.orchestration import Approval, Run, RunShown
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Runs of workflows.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, run_…")]
ENDED = ("completed", "faulted", "cancelled")
LOOK_S = 0.2


@app.command()
def start(
    name: Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow's name.")],
    tenant: Tenant,
    given: Annotated[
        str, typer.Option("--input", help="JSON, or @FILE, or - for standard input.")
    ] = "{}",
    version: Annotated[str | None, typer.Option(help="Usually the newest.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
    as_json: Json = False,
) -> None:
    """Start a run; with --wait exit 1 unless it completes."""
    data = _json(given)

    async def work(mesh: "Mesh") -> "Run":
        from ai_agent_mesh.product.orchestration import Runs

        tenant_id = await tenant_named(mesh, tenant)
        async with acting(mesh, tenant_id, "run.start") as act:
            runs = Runs(act.tx, mesh.clock)
            by = await _operator_of(mesh, tenant_id)
            run = await runs.start(name, data, by, mesh.gate, version=version)
            act.object = run.id
            act.detail = {"workflow": run.workflow, "version": run.version}
        return await _end_of(mesh, tenant_id, run.id) if wait else run

    run = with_mesh(work)
    speak(run, as_json=as_json, text=lambda: _told(run) if wait else run.id)
    if wait and run.state != "completed":
        raise typer.Exit(1)


@app.command("list")
def list_(
    tenant: Tenant,
    workflow: Annotated[str | None, typer.Option(help="Of this workflow only.")] = None,
    state: Annotated[str | None, typer.Option(help="In this state only.")] = None,
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""

    async def work(mesh: "Mesh") -> list["Run"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.orchestration import Runs

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            runs = Runs(tx, mesh.clock)
            return await every(lambda page: runs.list(page, workflow, state))

    found = with_mesh(work)
    rows = [(r.id, r.workflow, r.version, r.state, f"{r.created_at:%Y-%m-%d %H:%M}") for r in found]
    heads = ("id", "workflow", "version", "state", "accepted")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def show(run: RunId, tenant: Tenant, as_json: Json = False) -> None:
    """Show a run and what each of its tasks did."""

    async def work(mesh: "Mesh") -> "RunShown":
        from ai_agent_mesh.product.orchestration import Runs

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await Runs(tx, mesh.clock).show(run)

    found = with_mesh(work)
    rows = [(task.key, task.kind, task.state, task.attempt) for task in found.tasks]
    lines = [_told(found), table(("task", "kind", "state", "attempt"), rows)]
    if any(task.kind == "listen" and task.state == "waiting" for task in found.tasks):
        lines.append("It waits for a person: see `mesh run approvals`, then `mesh run decide`.")
    speak(found, as_json=as_json, text=lambda: "\n".join(lines))


@app.command()
def cancel(run: RunId, tenant: Tenant) -> None:
    """Cancel a run."""
    _control(run, tenant, "cancel")


@app.command()
def resume(run: RunId, tenant: Tenant) -> None:
    """Let a faulted or cancelled run go on from where it stood."""
    _control(run, tenant, "resume")


@app.command()
def approvals(
    tenant: Tenant,
    state: Annotated[str, typer.Option(help="pending, approved, rejected or lapsed.")] = "pending",
    as_json: Json = False,
) -> None:
    """List what runs ask of people."""

    async def work(mesh: "Mesh") -> list["Approval"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.orchestration import Approvals

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            held = Approvals(tx, mesh.clock)
            return await every(lambda page: held.list(page, state))

    found = with_mesh(work)
    rows = [(a.id, a.run_id, a.workflow, a.task, a.state, a.decided_by) for a in found]
    heads = ("id", "run", "workflow", "task", "state", "by")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def decide(
    approval: Annotated[str, typer.Argument(metavar="APPROVAL", help="Its id, apr_…")],
    tenant: Tenant,
    approve: Annotated[bool, typer.Option("--approve/--reject", help="Which way.")],
    comment: Annotated[str | None, typer.Option(help="For people.")] = None,
) -> None:
    """Approve or reject what a run asks."""

    async def work(mesh: "Mesh") -> "Approval":
        from ai_agent_mesh.product.orchestration import Approvals

        state = "approved" if approve else "rejected"
        async with acting(mesh, await tenant_named(mesh, tenant), "approval.decide") as act:
            act.object, act.detail = approval, {"decision": state}
            held = Approvals(act.tx, mesh.clock)
            return await held.decide(approval, state, "console", comment=comment)

    typer.echo(f"{approval} is {with_mesh(work).state}")


def _control(run_id: str, tenant: str, verb: str) -> None:
    async def work(mesh: "Mesh") -> "Run":
        from ai_agent_mesh.product.orchestration import Runs

        async with acting(mesh, await tenant_named(mesh, tenant), f"run.{verb}") as act:
            act.object = run_id
            runs = Runs(act.tx, mesh.clock)
            return await (runs.cancel(run_id) if verb == "cancel" else runs.resume(run_id))

    typer.echo(f"{run_id} is {with_mesh(work).state}")


async def _end_of(mesh: "Mesh", tenant_id: str, run_id: str) -> "Run":
    from ai_agent_mesh.product.orchestration import Runs

    while True:
        async with mesh.app.tenant(tenant_id) as tx:
            run = await Runs(tx, mesh.clock).get(run_id)
        if run.state in ENDED:
            return run
        await asyncio.sleep(LOOK_S)


async def _operator_of(mesh: "Mesh", tenant_id: str) -> "Principal":
    from ai_agent_mesh.product.identity import Principal, Role, find_tenant

    tier = (await find_tenant(mesh.operations, tenant_id)).tier
    return Principal(tenant_id, str(tier), "console", None, Role.OPERATOR)


def _told(run: "Run") -> str:
    if run.state not in ENDED:
        return f"{run.id} is {run.state}"
    value = run.error if run.state == "faulted" else run.output
    return f"{run.id} is {run.state}: {msgspec.json.encode(value).decode()}"


def _json(text: str) -> Any:  # a run's input is any JSON
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text()
        except OSError as error:
            raise typer.BadParameter(f"{text[1:]}: {error.strerror}") from None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"--input is not JSON: {error}") from None
