"""The command itself: look everywhere, print what was found, fail when something does not run."""

import asyncio
from typing import TYPE_CHECKING

import typer

from ai_agent_mesh.cli.console import Json, speak

if TYPE_CHECKING:
    from ai_agent_mesh.cli.doctor.finding import Finding

app = typer.Typer()


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check what this installation needs; exit 1 when something keeps it from running."""
    from ai_agent_mesh.cli.doctor.finding import State
    from ai_agent_mesh.cli.doctor.rounds import examine
    from ai_agent_mesh.settings import Settings

    findings = asyncio.run(examine(Settings.read()))
    speak({"findings": findings}, as_json=as_json, text=lambda: _page(findings))
    if any(each.state is State.FAIL for each in findings):
        raise typer.Exit(1)


def _page(findings: "list[Finding]") -> str:
    """Return a line for each finding, with its mend in a line below where there is one."""
    width = max(len(each.check) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{each.state}  {each.check.ljust(width)}  {each.found}")
        if each.mend:
            lines.append(f"{' ' * (width + 8)}{each.mend}")
    return "\n".join(lines)
