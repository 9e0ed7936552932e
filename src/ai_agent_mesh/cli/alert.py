"""`mesh alert`: what alarms on this platform, and what did."""

from typing import TYPE_CHECKING

import typer

from ai_agent_mesh.cli.console import Json, speak, table, with_mesh

if TYPE_CHECKING:
    from ai_agent_mesh.operations.alerts import AlertView
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Alerts of the platform.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Alerts of the platform."""


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List alerts, the newest first: pending, firing and resolved."""

    async def work(mesh: "Mesh") -> "list[AlertView]":
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.operations.alerts import Alert, AlertStore, view
        from ai_agent_mesh.plumbing.http import Page, Paged, paged
        from ai_agent_mesh.product.identity import PLATFORM_TENANT

        async with mesh.app.tenant(PLATFORM_TENANT) as tx:

            async def read(page: Page) -> Paged["Alert"]:
                return paged(await AlertStore(tx).page(page), page, lambda one: one.id)

            return [view(one) for one in await every(read)]

    found = with_mesh(work)
    heads = ("state", "urgency", "since", "fired", "resolved", "summary")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, [_row(v) for v in found]))


def _row(one: "AlertView") -> tuple[object, ...]:
    moments = (at and f"{at:%F %T}" for at in (one.since, one.fired_at, one.resolved_at))
    return (one.state, one.urgency, *moments, one.summary)
