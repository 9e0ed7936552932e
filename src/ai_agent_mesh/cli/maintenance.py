"""`mesh maintenance`: planned work of the platform, announced to every tenant."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli.console import Json, operator, speak, table, with_mesh
from ai_agent_mesh.kernel.errors import Fault

if TYPE_CHECKING:
    from ai_agent_mesh.operations.maintenance import MaintenanceCalendar, MaintenanceView
    from ai_agent_mesh.operations.planned import Draft, Maintenance
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Planned maintenance.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The maintenance's id, mnt_…")]


@app.command()
def announce(
    title: Annotated[str, typer.Argument(help="What is done, in one line.")],
    since: Annotated[str, typer.Option(help="When it starts (RFC 3339).")],
    until: Annotated[str, typer.Option(help="When it ends.")],
    description: Annotated[str, typer.Option(help="More about it.")] = "",
    service: Annotated[
        list[str] | None,
        typer.Option(help="A service that it touches; may be repeated. Default: all of them."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Announce maintenance as of now, and say what it will exclude."""
    draft = _draft(title=title, since=since, until=until, description=description, services=service)
    view = _changing(lambda calendar: calendar.announce(draft))
    speak(view, as_json=as_json, text=lambda: f"{view.id}\n{view.verdict}")


@app.command()
def cancel(maintenance: Id, as_json: Json = False) -> None:
    """Call maintenance off, as long as it is not over; then it excludes nothing."""
    view = _changing(lambda calendar: calendar.cancel(maintenance))
    speak(view, as_json=as_json, text=lambda: f"{view.id} is cancelled")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List maintenance, the newest announcement first."""

    async def work(mesh: "Mesh") -> "list[MaintenanceView]":
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.plumbing.http import Page, Paged, paged

        async with _calendar(mesh) as calendar:

            async def read(page: Page) -> Paged["Maintenance"]:
                return paged(await calendar.list(page), page, lambda one: one.id)

            return [await calendar.view(one) for one in await every(read)]

    found = with_mesh(work)
    heads = ("id", "state", "since", "until", "services", "excludes", "title")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, [_row(v) for v in found]))


@app.command()
def show(maintenance: Id, as_json: Json = False) -> None:
    """Show one maintenance and what it does to the figures."""

    async def work(mesh: "Mesh") -> "MaintenanceView":
        async with _calendar(mesh) as calendar:
            return await calendar.view(await calendar.get(maintenance))

    found = with_mesh(work)
    speak(found, as_json=as_json, text=lambda: _told(found))


@asynccontextmanager
async def _calendar(mesh: "Mesh") -> "AsyncIterator[MaintenanceCalendar]":
    from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
    from ai_agent_mesh.product.identity import PLATFORM_TENANT

    async with mesh.app.tenant(PLATFORM_TENANT) as tx:
        yield MaintenanceCalendar(tx, mesh.playbook, mesh.clock, operator())


def _changing(
    change: "Callable[[MaintenanceCalendar], Awaitable[Maintenance]]",
) -> "MaintenanceView":
    """Make one change, whose ledger entry the calendar writes itself."""

    async def work(mesh: "Mesh") -> "MaintenanceView":
        async with _calendar(mesh) as calendar:
            return await calendar.view(await change(calendar))

    return with_mesh(work)


def _draft(**said: object) -> "Draft":
    from ai_agent_mesh.operations.planned import Draft, MaintenanceInvalid

    try:
        return msgspec.convert(said, Draft)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise MaintenanceInvalid(faults=[Fault(f"--{place.rstrip('`')}", reason)]) from error


def _row(one: "MaintenanceView") -> tuple[object, ...]:
    excludes = "yes" if one.excludes else "no"
    span = (f"{one.since:%F %R}", f"{one.until:%F %R}")
    return one.id, one.state, *span, ",".join(one.services), excludes, one.title


def _told(one: "MaintenanceView") -> str:
    lines = [
        one.title,
        *one.description.splitlines(),
        f"{one.since:%F %R} to {one.until:%F %R} UTC, {one.state}: {', '.join(one.services)}",
        f"Announced {one.announced_at:%F %R} UTC by the platform's ledger entry {one.entry}.",
        one.verdict,
        one.impact,
    ]
    return "\n".join(lines)
