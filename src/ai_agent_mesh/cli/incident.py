"""`mesh incident`: when the platform did harm, told to every customer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from ai_agent_mesh.cli.console import Json, operator, speak, table, with_mesh
from ai_agent_mesh.cli.moments import moment
from ai_agent_mesh.kernel.errors import Fault

if TYPE_CHECKING:
    from ai_agent_mesh.operations.incidents import (
        Incident,
        Incidents,
        IncidentView,
        IncidentWhole,
    )
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Incidents.", no_args_is_help=True)

T = TypeVar("T")

Id = Annotated[str, typer.Argument(metavar="ID", help="The incident's id, inc_…")]
Began = Annotated[
    str | None, typer.Option("--began-at", help="When it began to hurt (RFC 3339). Default: now.")
]
Ended = Annotated[
    str | None, typer.Option("--resolved-at", help="Since when it hurts no more. Default: now.")
]


@app.command("open")
def open_(
    title: Annotated[str, typer.Argument(help="What is wrong, in one line that customers read.")],
    severity: Annotated[str, typer.Option(help="One of the playbook's severities, such as sev2.")],
    service: Annotated[
        list[str], typer.Option(help="A service that is affected; may be repeated.")
    ],
    began_at: Began = None,
    alert: Annotated[str | None, typer.Option(help="The alert that told of it, alr_…")] = None,
    as_json: Json = False,
) -> None:
    """Open an incident as of now."""
    from ai_agent_mesh.operations.incidents import Draft

    draft = _read(
        Draft, title=title, severity=severity, services=service, began_at=began_at, alert=alert
    )
    one = _acting(lambda incidents: incidents.open(draft))
    speak(one, as_json=as_json, text=lambda: one.id)


@app.command()
def update(  # noqa: PLR0917 - options, not arguments
    incident: Id,
    title: Annotated[str | None, typer.Option(help="What is wrong.")] = None,
    severity: Annotated[str | None, typer.Option(help="How bad it is.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="All services affected.")] = None,
    stage: Annotated[str | None, typer.Option(help="Where it stands, such as triage.")] = None,
    began_at: Annotated[str | None, typer.Option(help="When it began to hurt.")] = None,
    cause: Annotated[str | None, typer.Option(help="Why it was, once it is resolved.")] = None,
    resolved_at: Annotated[str | None, typer.Option(help="Since when it hurts no more.")] = None,
    as_json: Json = False,
) -> None:
    """Say something of an incident anew; what was said before stays in its history."""
    from ai_agent_mesh.operations.incidents import Change

    change = _read(
        Change, title=title, severity=severity, services=service, stage=stage, began_at=began_at,
        cause=cause, resolved_at=resolved_at,
    )  # fmt: skip
    one = _acting(lambda incidents: incidents.update(incident, change, "*"))
    speak(one, as_json=as_json, text=lambda: f"{one.id} stands at {one.stage}")


@app.command()
def resolve(
    incident: Id,
    cause: Annotated[str, typer.Option(help="Why it was, in words that customers read.")],
    resolved_at: Ended = None,
    as_json: Json = False,
) -> None:
    """Say that an incident is over, and why it was."""
    from ai_agent_mesh.operations.incidents import Resolution

    end = _read(Resolution, cause=cause, resolved_at=resolved_at)
    one = _acting(lambda incidents: incidents.resolve(incident, end))
    speak(one, as_json=as_json, text=lambda: f"{one.id} is resolved")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List incidents, the newest opened first."""

    async def work(mesh: "Mesh") -> "list[IncidentView]":
        from ai_agent_mesh.cli.pages import every
        from ai_agent_mesh.operations.incidents import view
        from ai_agent_mesh.plumbing.http import Page, Paged, paged

        async with _incidents(mesh) as incidents:

            async def read(page: Page) -> Paged["Incident"]:
                return paged(await incidents.list(page), page, lambda one: one.id)

            found = await every(read)
        return [view(one, mesh.playbook, inside=True) for one in found]

    found = with_mesh(work)
    heads = ("id", "severity", "stage", "began", "resolved", "services", "title")
    speak({"items": found}, as_json=as_json, text=lambda: table(heads, [_row(v) for v in found]))


@app.command()
def show(incident: Id, as_json: Json = False) -> None:
    """Show one incident and all that was ever said of it."""

    async def work(mesh: "Mesh") -> "IncidentWhole":
        from ai_agent_mesh.operations.incidents import whole

        async with _incidents(mesh) as incidents:
            one = await incidents.get(incident)
            acts = await incidents.history(one.id)
        return whole(one, acts, mesh.playbook, inside=True)

    found = with_mesh(work)
    speak(found, as_json=as_json, text=lambda: _told(found))


@asynccontextmanager
async def _incidents(mesh: "Mesh") -> "AsyncIterator[Incidents]":
    from ai_agent_mesh.operations.incidents import Incidents
    from ai_agent_mesh.product.identity import PLATFORM_TENANT

    async with mesh.app.tenant(PLATFORM_TENANT) as tx:
        yield Incidents(tx, mesh.playbook, mesh.clock, operator())


def _acting(act: "Callable[[Incidents], Awaitable[Incident]]") -> "IncidentView":
    """Do one act, whose ledger entry the incidents write themselves."""

    async def work(mesh: "Mesh") -> "IncidentView":
        from ai_agent_mesh.operations.incidents import view

        async with _incidents(mesh) as incidents:
            done = await act(incidents)
        return view(done, mesh.playbook, inside=True)

    return with_mesh(work)


def _read(kind: type[T], **said: object) -> T:
    """Return what the options say, of which those left out are none."""
    from ai_agent_mesh.operations.incidents import IncidentInvalid

    given = {name: value for name, value in said.items() if value is not None}
    for name in ("began_at", "resolved_at"):
        if isinstance(text := given.get(name), str):
            given[name] = moment(name.replace("_", "-"), text)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").partition("[")[0].replace("_", "-")
        option = "service" if name == "services" else name
        raise IncidentInvalid(faults=[Fault(f"--{option}", reason)]) from error


def _row(one: "IncidentView") -> tuple[object, ...]:
    ended = f"{one.resolved_at:%F %R}" if one.resolved_at else "open"
    began = f"{one.began_at:%F %R}"
    return one.id, one.severity, one.stage, began, ended, ",".join(one.services), one.title


def _told(one: "IncidentWhole") -> str:
    ended = f"{one.resolved_at:%F %R} UTC" if one.resolved_at else "now"
    lines = [
        one.title,
        f"{one.severity} ({one.severity_title}), {one.stage}: {', '.join(one.services)}",
        f"{one.began_at:%F %R} to {ended}, opened {one.opened_at:%F %R} UTC by {one.opened_by}",
        *(one.cause or "").splitlines(),
    ]
    for act in one.history:
        said = "; ".join(f"{name} {text!r}" for name, text in act.said.items())
        lines.append(f"  {act.at:%F %R} {act.act} by {act.by}, entry {act.entry}: {said}")
    return "\n".join(lines)
