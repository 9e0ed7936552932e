"""`mesh slo`: the objectives of the running month."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Form, Json, Tenant, speak, with_mesh

if TYPE_CHECKING:
    from ai_agent_mesh.operations.statements import Slo
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer()


@app.command()
def slo(
    tenant: Tenant,
    form: Annotated[Form, typer.Option("--format", help="How to tell it.")] = Form.TEXT,
    as_json: Json = False,
) -> None:
    """Show every objective of a tenant: target, attainment, budget left, burn, the month's end.

    As HTML it is a page with drawings, which needs nothing else to be looked at.
    """
    from ai_agent_mesh.operations.objectives import Standings, slos_page
    from ai_agent_mesh.operations.statements import slos_as_text

    async def read(mesh: "Mesh") -> "Sequence[Slo] | str":
        standings = Standings(mesh.operations, mesh.playbook, mesh.clock)
        if form is Form.HTML and not as_json:
            return slos_page(await standings.standing(tenant))
        return await standings.slos(tenant)

    told = with_mesh(read)
    if isinstance(told, str):
        print(told, end="")
        return
    as_json = as_json or form is Form.JSON
    speak({"items": told}, as_json=as_json, text=lambda: slos_as_text(told).rstrip())
