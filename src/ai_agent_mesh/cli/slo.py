"""`mesh slo`: the objectives of the running month."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Form, Json, Tenant, speak, with_mesh
from ai_agent_mesh.kernel.spans import Month

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

    async def read(mesh: "Mesh") -> "tuple[Sequence[Slo], str | None] | str":
        standings = Standings(mesh.operations, mesh.playbook, mesh.clock)
        if form is Form.HTML and not as_json:
            return slos_page(await standings.standing(tenant))
        return await standings.slos(tenant), await _waiting(mesh)

    told = with_mesh(read)
    if isinstance(told, str):
        print(told, end="")
        return
    items, waiting = told
    speak(
        {"items": items, "waiting": waiting},
        as_json=as_json or form is Form.JSON,
        text=lambda: "\n\n".join(filter(None, [slos_as_text(items).rstrip(), waiting])),
    )


async def _waiting(mesh: "Mesh") -> str | None:
    """Say what of today's promises the running month is not judged by, or nothing."""
    from ai_agent_mesh.operations.agreements import Agreements, waits

    month = Month.of(mesh.clock.now())
    async with mesh.operations.transaction() as tx:
        changes = await Agreements(tx, mesh.playbook).waiting(month)
    return waits(changes, month) if changes else None
