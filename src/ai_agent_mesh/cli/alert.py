"""`mesh alert`: what alarms on this platform, and what did."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Json, speak, with_mesh

if TYPE_CHECKING:
    from ai_agent_mesh.operations.alerts import AlertView
    from ai_agent_mesh.wiring import Mesh

#: What was over before that is history.
_RECENT = timedelta(days=1)

app = typer.Typer(help="Alerts of the platform.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Alerts of the platform."""


@app.command("list")
def list_(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Those as well that were over a day ago.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List alerts, pending and firing before those resolved within a day, the newest first."""

    async def work(mesh: "Mesh") -> "tuple[list[AlertView], datetime]":
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.operations.alerts import Alert, AlertStore, view
        from ai_agent_mesh.plumbing.http import Page, Paged, paged
        from ai_agent_mesh.product.identity import PLATFORM_TENANT

        async with mesh.app.tenant(PLATFORM_TENANT) as tx:

            async def read(page: Page) -> Paged["Alert"]:
                return paged(await AlertStore(tx).page(page), page, lambda one: one.id)

            alerts = [view(one) for one in await every(read)]
            return sorted(alerts, key=lambda one: one.resolved_at is not None), mesh.clock.now()

    found, now = with_mesh(work)
    shown = found if everything else recent(found, now)
    lines = partial(told, shown, older=len(found) - len(shown))
    speak({"items": shown}, as_json=as_json, text=lambda: "\n".join(lines()))


def recent(found: "Sequence[AlertView]", now: datetime) -> "list[AlertView]":
    """Return those that are not over, or have not been for long."""
    since = now - _RECENT
    return [one for one in found if one.resolved_at is None or one.resolved_at > since]


def told(found: "Sequence[AlertView]", *, older: int = 0) -> Iterator[str]:
    """Yield each alert: its state and moments on a line, what it means and what to read below."""
    if not found:
        yield "Nothing alarms, and nothing did within a day."
    for one in found:
        yield f"{one.state:8} {one.urgency:8} {one.name:20} {_moments(one)}"
        yield from wrap(one.summary, 78, initial_indent="  ", subsequent_indent="  ")
        if one.resolved_at is None:
            yield f"  What to do: {one.runbook}"
    if older:
        yield f"Over for more than a day: {older}. `--all` lists them."


def _moments(one: "AlertView") -> str:
    """Say since when, and up to when; the day once where both are of the same."""
    since, until = one.fired_at or one.since, one.resolved_at
    if until is None:
        return f"since {since:%F %H:%M} UTC"
    same = since.date() == until.date()
    return f"{since:%F %H:%M} to {until:{'%H:%M' if same else '%F %H:%M'}} UTC"
