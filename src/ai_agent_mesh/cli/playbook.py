"""`mesh playbook`: show, check, compare and render the playbook."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli.console import Json, speak, with_mesh
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import (
    Difference,
    Plain,
    Playbook,
    PlaybookInvalid,
    default,
    differences,
    flat,
    load,
    markdown,
    plain,
    promising,
)

if TYPE_CHECKING:
    from ai_agent_mesh.wiring import Mesh


def _markdown(playbook: Playbook, month: Month, _source: str) -> str:
    return markdown(playbook, month)


def _prometheus(playbook: Playbook, _month: Month, source: str) -> str:
    from importlib.metadata import version

    from ai_agent_mesh.adapters import prometheus
    from ai_agent_mesh.settings import Settings

    return prometheus.render(
        playbook,
        version=version("ai-agent-mesh"),
        source=source,
        runbooks=Settings.read().runbooks_url,
    )


def _alertmanager(playbook: Playbook, _month: Month, source: str) -> str:
    from ai_agent_mesh.adapters import alertmanager

    return alertmanager.render(playbook, source)


def _grafana(playbook: Playbook, _month: Month, source: str) -> str:
    from ai_agent_mesh.adapters import grafana

    return grafana.render(playbook, source)


def _openslo(playbook: Playbook, _month: Month, source: str) -> str:
    from ai_agent_mesh.adapters import openslo

    return openslo.render(playbook, source)


#: What a playbook can be rendered to; each is told in words which one it is.
FORMS: dict[str, Callable[[Playbook, Month, str], str]] = {
    "markdown": _markdown,
    "prometheus": _prometheus,
    "alertmanager": _alertmanager,
    "grafana": _grafana,
    "openslo": _openslo,
}

app = typer.Typer(help="Show, check, compare and render the playbook.", no_args_is_help=True)

_DEFAULT = "default"
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}

From = Annotated[
    Path | None,
    typer.Option("--playbook", metavar="FILE", help="A playbook in place of MESH_PLAYBOOK's."),
]


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="Without it, MESH_PLAYBOOK's file.")] = None,
    as_json: Json = False,
) -> None:
    """Report every mistake of a playbook, each with its place and what was expected."""
    path = file or _configured()
    try:
        playbook = load(path)
    except PlaybookInvalid as invalid:
        if as_json:
            faults = [msgspec.to_builtins(fault) for fault in invalid.faults]
            print(msgspec.json.encode({"valid": False, "faults": faults}).decode())
        _complain(invalid)
        raise typer.Exit(1) from None
    said = {"valid": True, "digest": playbook.digest, "faults": []}
    speak(
        said,
        as_json=as_json,
        text=lambda: f"{path or 'The default playbook'}: no mistakes, digest {playbook.digest}",
    )


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="A dotted key such as tiers.free; all without.")] = "",
    playbook: From = None,
    as_json: Json = False,
) -> None:
    """Show what holds now, the whole playbook or one key of it."""
    whole = plain(_loaded(playbook or _configured()))
    part = _part(whole, key)
    speak(part, as_json=as_json, text=lambda: _lines(part, key))


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="A playbook file, or `default`.")],
    b: Annotated[str, typer.Argument(help="A playbook file, or `default`.")],
    as_json: Json = False,
) -> None:
    """Show what is added, removed or changed between two playbooks, each over the default."""
    found = list(differences(_named(a), _named(b)))
    said = [
        {
            "kind": each.kind,
            "key": each.key,
            "before": each.before,
            "after": each.after,
            "waits": each.waits,
        }
        for each in found
    ]
    speak(said, as_json=as_json, text=lambda: "\n".join(map(_line, found)) or "No difference.")


@app.command()
def render(
    to: Annotated[str, typer.Option("--to", help=f"What to write: {', '.join(FORMS)}.")],
    month: Annotated[
        str | None, typer.Option(help="Of which downtime is told (2026-11); the current without.")
    ] = None,
    in_force: Annotated[
        bool,
        typer.Option(
            "--in-force", help="With what the running mesh judges that month by, not the file's."
        ),
    ] = False,
    playbook: From = None,
) -> None:
    """Write the service level document, or what another tool reads, from the playbook's data.

    Promises are the file's, which a month that began under others is not judged by. With --in-force
    they are those of the month, read from the running mesh; all else is the file's either way.
    """
    if to not in FORMS:
        close = get_close_matches(to, FORMS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        print(f"mesh: cannot render to {to!r}; expected {', '.join(FORMS)}{hint}", file=sys.stderr)
        raise typer.Exit(2)
    judged = Month.parse(month) if month else Month.of(datetime.now(UTC))
    book = _loaded(playbook or _configured())
    source = f"playbook {book.digest}"
    if in_force:
        agreed = _agreed(book, judged)
        source += f", promises of {judged} by playbook {agreed.digest}"
        book = promising(book, agreed)
    print(FORMS[to](book, judged, source), end="")


def _agreed(playbook: Playbook, month: Month) -> Playbook:
    """Return the playbook that the running mesh judges a month by."""

    async def read(mesh: "Mesh") -> Playbook:
        from ai_agent_mesh.operations.agreements import Agreements

        async with mesh.operations.transaction() as tx:
            return await Agreements(tx, playbook).of(month)

    return with_mesh(read)


def _configured() -> Path | None:
    from ai_agent_mesh.settings import Settings

    return Settings.read().playbook


def _named(text: str) -> Playbook:
    return default() if text == _DEFAULT else _loaded(Path(text))


def _loaded(path: Path | None) -> Playbook:
    try:
        return load(path)
    except PlaybookInvalid as invalid:
        _complain(invalid)
        raise typer.Exit(1) from None


def _complain(invalid: PlaybookInvalid) -> None:
    for fault in invalid.faults:
        print(f"{fault.place}: {fault.reason}", file=sys.stderr)


def _part(whole: Plain, key: str) -> Plain:
    """Return what stands at a dotted key, or leave with a word about the nearest one."""
    part = whole
    for name in key.split(".") if key else ():
        if isinstance(part, dict) and name in part:
            part = part[name]
        elif isinstance(part, list) and name.isascii() and name.isdigit() and int(name) < len(part):
            part = part[int(name)]
        else:
            known = list(part) if isinstance(part, dict) else []
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            print(f"mesh: the playbook has no key {key!r}{hint}", file=sys.stderr)
            raise typer.Exit(1)
    return part


def _lines(part: Plain, key: str) -> str:
    if not isinstance(part, dict | list):
        return _text(part)
    return "\n".join(f"{name}: {_text(value)}" for name, value in flat(part, key))


def _line(each: Difference) -> str:
    sides = [_text(side) for side in (each.before, each.after) if side is not None]
    since = ", from the next month on" if each.waits else ""
    return f"{_SIGNS[each.kind]} {each.key}: {' → '.join(sides)}{since}"


def _text(value: str | int | None) -> str:  # a flag is an int, too
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
