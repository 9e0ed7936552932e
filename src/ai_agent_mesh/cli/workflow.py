"""`mesh workflow`: a tenant's workflow definitions."""

import asyncio
from pathlib import Path
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
    from ai_agent_mesh.product.orchestration import Definition, Workflow
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Workflow definitions.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="YAML or JSON.")]
Named = Annotated[str, typer.Argument(metavar="WORKFLOW", help="Its name.")]


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Check a definition, without a system: every mistake with its place."""

    async def work() -> "Definition":
        from ai_agent_mesh.product.orchestration import ExpressionPool, check_definition

        async with ExpressionPool(size=1) as expressions:
            return await check_definition(_text(file), expressions)

    found = asyncio.run(work())
    about = {"name": found.name, "version": found.version, "tasks": len(found.tasks)}
    speak(about, as_json=as_json, text=lambda: f"{found.name} {found.version} is well")


@app.command()
def put(file: File, tenant: Tenant, as_json: Json = False) -> None:
    """Keep a definition; the same text again changes nothing."""

    async def work(mesh: "Mesh") -> "Workflow":
        from ai_agent_mesh.product.orchestration import Workflows

        async with acting(mesh, await tenant_named(mesh, tenant), "workflow.put") as act:
            workflows = Workflows(act.tx, mesh.clock)
            workflow, _ = await workflows.put(_text(file), "console", mesh.expressions)
            act.object = workflow.id
            act.detail = {"name": workflow.name, "version": workflow.version}
        return workflow

    kept = with_mesh(work)
    speak(kept, as_json=as_json, text=lambda: f"{kept.name} {kept.version} is kept")


@app.command("list")
def list_(tenant: Tenant, as_json: Json = False) -> None:
    """List workflows by name, each in its newest version."""

    async def work(mesh: "Mesh") -> list["Workflow"]:
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.product.orchestration import Workflows

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await every(Workflows(tx, mesh.clock).list)

    found = with_mesh(work)
    rows = [(each.name, each.version, f"{each.created_at:%Y-%m-%d %H:%M}") for each in found]
    heads = ("name", "version", "since")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, rows))


@app.command()
def show(
    name: Named,
    tenant: Tenant,
    version: Annotated[str | None, typer.Option(help="Usually the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show a definition as it was handed in."""

    async def work(mesh: "Mesh") -> "Workflow":
        from ai_agent_mesh.product.orchestration import Workflows

        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await Workflows(tx, mesh.clock).get(name, version)

    found = with_mesh(work)
    speak(found, as_json=as_json, text=(found.source or "").rstrip)


@app.command()
def delete(name: Named, tenant: Tenant) -> None:
    """Let no further run of a workflow start; runs under way go on."""

    async def work(mesh: "Mesh") -> None:
        from ai_agent_mesh.product.orchestration import Workflows

        async with acting(mesh, await tenant_named(mesh, tenant), "workflow.delete") as act:
            await Workflows(act.tx, mesh.clock).disable(name)
            act.object = name

    with_mesh(work)
    typer.echo(f"{name} starts no more")


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not UTF-8 text") from None
