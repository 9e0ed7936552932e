"""The `mesh` command: the operator's door to the same services that the HTTP API has.

Each word below is a module of this package whose `app` is a Typer application; a module is imported
when its word is used, so that a quick command stays quick.
"""

import errno
import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from ai_agent_mesh.cli.console import complain
from ai_agent_mesh.kernel.errors import Fact, Unavailable

COMMANDS = {
    "up": "Start everything on this machine",
    "demo": "Tell the whole story on fresh data, in about three minutes",
    "doctor": "Check what this installation needs",
    "playbook": "Show, check, compare and render the playbook",
    "tenant": "Tenants and their tiers",
    "user": "Users and their roles",
    "key": "API keys",
    "agent": "Agents: register, list, invoke",
    "workflow": "Workflow definitions",
    "run": "Runs of workflows",
    "policy": "Cedar policies and decisions",
    "telemetry": "Usage, series, percentiles, traces",
    "sla": "Statements of the service level, and their proof",
    "slo": "Objectives of the running month",
    "credit": "Closed months, and the credits that were booked",
    "maintenance": "Planned maintenance: announce, list, cancel",
    "incident": "Incidents: open, list, show, update, resolve",
    "subscription": "Subscriptions to notices",
    "alert": "Alerts of the platform",
    "ledger": "Export and verify the ledger",
    "migrate": "Bring the database to this version's schema",
    "api": "Run one API process",
    "worker": "Run one worker process",
    "probe": "Run the probe",
}


#: What no command can mend, and no traceback explains better than a line.
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class DiskRefuses(Unavailable):
    """{path} cannot be written: {reason}."""


class _Lazy(TyperGroup):
    """A group whose commands are imported when they are called for."""

    # Typer carries a click of its own, whose types it does not export: hence Any.

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ai_agent_mesh.cli.{cmd_name}")
        # A word's own page looks as `mesh --help` does, and offers no options of its own making.
        module.app.rich_markup_mode = None
        module.app._add_completion = False  # noqa: SLF001 - there is no other way once it is made
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.short_help = COMMANDS[cmd_name]
        _name_values(command)
        return command


def _name_values(command: Any) -> None:
    """Let help call a value by its option's name, where that says no better: not `<list[str]>`."""
    for below in getattr(command, "commands", {}).values():
        _name_values(below)
    for parameter in command.params:
        if parameter.metavar is None and not parameter.type_descriptor.is_choice:
            parameter.metavar = max(parameter.opts, key=len).lstrip("-").upper()


app = typer.Typer(
    cls=_Lazy,
    help="Run AI agents for many customers, and prove that the service level was kept.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Run AI agents for many customers, and prove that the service level was kept."""


def main() -> None:
    """Run the command line: exit 0, or 1 with one line on stderr, or 2 for wrong usage."""
    try:
        app()
    except Fact as fact:
        complain(fact)
        sys.exit(1)
    except ModuleNotFoundError as error:
        # The base install has no server; a module of our own that is missing is a bug.
        if (error.name or "ai_agent_mesh").startswith("ai_agent_mesh"):
            raise
        said = f"this command needs {error.name}, which comes with the server"
        print(f"mesh: {said}: pip install 'ai-agent-mesh[server]'", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output has left; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise
        complain(DiskRefuses(path=error.filename or "what was to be kept", reason=error.strerror))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
