"""`mesh alert`: what alarms on this platform, and what did."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import typer

from ai_agent_mesh.cli.console import Json, speak, with_mesh

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
    speak({"items": found}, as_json=as_json, text=lambda: "\n".join(_told(found)))


def _told(found: "Sequence[AlertView]") -> Iterator[str]:
    """Yield each alert: its state and moments on a line, what it means and what to read below."""
    if not found:
        yield "Nothing alarms, and nothing has."
    for one in found:
        yield f"{one.state:9} {one.urgency:9} {one.name:20} {_moments(one)}"
        yield from wrap(one.summary, 78, initial_indent="  ", subsequent_indent="  ")
        if one.resolved_at is None:
            yield f"  What to do: {one.runbook}"


def _moments(one: "AlertView") -> str:
    """Say since when, and up to when; the day once where both are of the same."""
    since, until = one.fired_at or one.since, one.resolved_at
    if until is None:
        return f"since {since:%F %H:%M} UTC"
    same = since.date() == until.date()
    return f"{since:%F %H:%M} to {until:{'%H:%M' if same else '%F %H:%M'}} UTC"
