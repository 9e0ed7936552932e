"""`mesh credit`: months closed by hand, and what was booked for them."""

from typing import TYPE_CHECKING

import typer

from ai_agent_mesh.cli.console import Json, Tenant, operator, speak, table, tenant_named, with_mesh
from ai_agent_mesh.cli.sla import MonthText, Since, Until, asked_for

if TYPE_CHECKING:
    from ai_agent_mesh.operations.credits import Closed, Closing
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(
    help="Months are closed by themselves once they are over; see what was booked, or close one.",
    no_args_is_help=True,
)
#: As many as a person reads; the API pages through all of them.
SHOWN = 200


@app.command()
def close(
    tenant: Tenant,
    month: MonthText = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Close a month that is over, or any span the same way, and book what is owed.

    What was closed before is corrected by the difference, where there is any.
    """
    from ai_agent_mesh.operations.credits import Credits, as_lines

    asked = asked_for(month, since, until)

    async def work(mesh: "Mesh") -> "Closed":
        closer = Credits(mesh.app, mesh.operations, mesh.playbook, mesh.clock)
        return await closer.close(tenant, asked, operator())

    done = with_mesh(work)
    speak(
        done.closing,
        as_json=as_json,
        text=lambda: "\n".join(as_lines(done.closing, new=done.new)),
    )


@app.command("list")
def list_(tenant: Tenant, as_json: Json = False) -> None:
    """List closings, newest first, and what they booked."""
    from ai_agent_mesh.operations.credits import ClosingStore
    from ai_agent_mesh.plumbing.http import Page

    async def read(mesh: "Mesh") -> "list[Closing]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return list(await ClosingStore(tx).page(Page(SHOWN)))[:SHOWN]

    found = with_mesh(read)
    heads = ("closing", "month", "since", "until", "credit", "booked")
    speak(found, as_json=as_json, text=lambda: table(heads, [_row(one) for one in found]))


def _row(one: "Closing") -> tuple[object, ...]:
    percents = ", ".join(f"{part.credit_percent}%" for part in one.parts if part.credit_percent)
    booked = ", ".join(f"{booking.amount:f} {booking.currency}" for booking in one.booked)
    month = one.month and f"{one.month}{' corrected' if one.ordinal else ''}"
    return one.id, month, f"{one.since:%F %R}", f"{one.until:%F %R}", percents, booked or "nothing"
