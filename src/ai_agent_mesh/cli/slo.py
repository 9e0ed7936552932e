"""`mesh slo`: the objectives of the running month."""

from collections.abc import Sequence

import typer

from ai_agent_mesh.cli.console import Json, Tenant, speak, with_mesh

app = typer.Typer()


@app.command()
def slo(tenant: Tenant, as_json: Json = False) -> None:
    """Show every objective of a tenant: target, attainment, what is left of the budget."""
    from ai_agent_mesh.operations.objectives import Standings
    from ai_agent_mesh.operations.statements import Slo, slos_as_text
    from ai_agent_mesh.wiring import Mesh

    async def read(mesh: Mesh) -> Sequence[Slo]:
        return await Standings(mesh.operations, mesh.playbook, mesh.clock).slos(tenant)

    items = with_mesh(read)
    speak({"items": items}, as_json=as_json, text=lambda: slos_as_text(items).rstrip())
