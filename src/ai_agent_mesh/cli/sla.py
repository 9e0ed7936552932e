"""`mesh sla`: statements of the service level, and their recomputation from the ledger."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from ai_agent_mesh.cli import offline
from ai_agent_mesh.cli.console import Form, Json, Tenant, speak, with_mesh
from ai_agent_mesh.cli.ledger import poured, public_key
from ai_agent_mesh.cli.moments import moment
from ai_agent_mesh.cli.proof import BundleUnsound, bundle_file, confirmed, failed, verify_file
from ai_agent_mesh.kernel.errors import Conflict, Invalid
from ai_agent_mesh.kernel.spans import Month, Span

if TYPE_CHECKING:
    from ai_agent_mesh.operations.credits import Closing
    from ai_agent_mesh.operations.statements import Statement
    from ai_agent_mesh.product.ledger import Failure
    from ai_agent_mesh.wiring import Mesh

    Verified = tuple[Statement, list[Closing]]

app = typer.Typer(help="Statements of the service level, and their proof.", no_args_is_help=True)

app.command()(offline.compute)
app.command()(offline.whatif)

MonthText = Annotated[str | None, typer.Option("--month", help="A month, such as 2026-11.")]
Since = Annotated[
    str | None, typer.Option(help="Judge a span instead: from this moment (RFC 3339).")
]
Until = Annotated[str | None, typer.Option(help="The end of that span; default: now.")]


class FigureDiffers(Conflict):
    """{place} is stated as {stated}, but the ledger's entries give {recounted}."""


class LedgerBroken(Conflict):
    """The ledger itself does not hold: {check} at {place}: {reason}."""


class NoTenants(Invalid):
    """There is no tenant to verify."""


@app.command()
def statement(
    tenant: Tenant,
    month: MonthText = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[Form, typer.Option("--format", help="How to tell it.")] = Form.TEXT,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="Write the evidence to this file or folder as well."),
    ] = None,
    as_json: Json = False,
) -> None:
    """State what was promised to a tenant and what was kept, for a month or any span.

    The statement is signed. Its bundle proves it to anybody: `mesh sla verify FILE`.
    """
    from ai_agent_mesh.operations.objectives import Bundles
    from ai_agent_mesh.operations.statements import as_text

    asked = asked_for(month, since, until)

    out = bundle_file(bundle) if bundle else None

    async def read(mesh: "Mesh") -> "Statement | str":
        bundles = Bundles(mesh.operations, mesh.playbook, mesh.clock, mesh.signer)
        if out:
            await poured(bundles.lines(tenant, asked), out)
        if form is Form.HTML and not as_json:
            return await bundles.page(tenant, asked)
        return await bundles.signed(tenant, asked)

    told = with_mesh(read)
    if isinstance(told, str):
        print(told, end="")
        return
    speak(told, as_json=as_json or form is Form.JSON, text=lambda: as_text(told).rstrip())


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="A bundle or a statement's page; default: the database.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A public key to trust: base64 or a file.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", "-t", help="Default: every one.")
    ] = None,
    month: MonthText = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Recompute every figure of a statement; exit 1 at the first that differs.

    With FILE from that file alone. Without it from the database: the ledger itself is checked
    first, and every credit that was booked is held against what is owed.
    """
    if file is not None:
        _verify_file(file, key or [], as_json=as_json)
        return
    asked = asked_for(month, since, until)

    async def check(mesh: "Mesh") -> "list[Verified]":
        return await _verify(mesh, tenant, asked)

    verified = with_mesh(check)
    speak(
        {
            "verified": True,
            "statements": [one for one, _ in verified],
            "closings": [closing for _, closings in verified for closing in closings],
        },
        as_json=as_json,
        text=lambda: "\n".join(_confirmed(*one) for one in verified),
    )


def _verify_file(file: Path, keys: list[str], *, as_json: bool) -> None:
    pinned = [public_key(text) for text in keys]
    with _progress("Reading") as tick:
        verdict = verify_file(file, pinned, tick)
    speak(
        {"verified": verdict.sound, **msgspec.structs.asdict(verdict)},
        as_json=as_json,
        text=lambda: "\n".join([
            *failed(verdict),
            confirmed(verdict, trusted=bool(pinned)),
        ]),
    )  # fmt: skip
    for first in verdict.failures[:1]:
        raise BundleUnsound(check=first.check.value, place=first.place, reason=first.reason)


async def _verify(mesh: "Mesh", tenant: str | None, asked: Month | Span) -> "list[Verified]":
    from ai_agent_mesh.operations.credits import Credits
    from ai_agent_mesh.operations.objectives import Objectives
    from ai_agent_mesh.operations.statements import first_difference
    from ai_agent_mesh.product.ledger import Check
    from ai_agent_mesh.product.ledger import verify as verify_ledger

    with _progress("Checking the ledger") as tick:
        report = await verify_ledger(mesh.operations, progress=tick)
    # A wrong roll-up is left for later: the figure that it spoils says more.
    _raise([one for one in report.failures if one.check is not Check.ROLLUP])
    objectives = Objectives(mesh.operations, mesh.playbook, mesh.clock)
    verified = []
    for name in [tenant] if tenant else await objectives.tenants():
        stated = await objectives.statement(name, asked)
        with _progress(f"Recounting {stated.tenant_name}") as tick:
            recounted = await objectives.recount(stated, tick)
        found = first_difference(stated, recounted)
        if found:
            place, left, right = found
            raise FigureDiffers(
                place=f"{stated.tenant_name}: {place}", stated=left, recounted=right
            )
        credits_ = Credits(mesh.app, mesh.operations, mesh.playbook, mesh.clock)
        verified.append((stated, await credits_.check(recounted)))
    if not verified:
        raise NoTenants
    _raise(report.failures[:1])
    return verified


def _raise(failures: "Sequence[Failure]") -> None:
    for one in failures:
        raise LedgerBroken(check=one.check.value, place=one.place, reason=one.reason)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many entries are done, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(f"{what} ...") as status:
        yield lambda done: status.update(f"{what}: {done:,} entries")


def _confirmed(one: "Statement", closings: "Sequence[Closing]") -> str:
    entries = sum(part.entries for part in one.ledger)
    owed = ", ".join(f"{due.amount} {due.currency}" for due in one.credit) or "nothing"
    booked = f"; the booked credit is what is owed: {owed}" if closings else ""
    return (
        f"{one.tenant_name}: {one.availability or 'nothing to judge'}, "
        f"{one.error_budget.spent_minutes} of {one.minutes.counted} minutes lost; "
        f"every figure recomputed from {entries} entries{booked}"
    )


def asked_for(month: str | None, since: str | None, until: str | None) -> Month | Span:
    """Return what the options name: a month, a span, or without any the running month."""
    now = datetime.now(UTC)
    if month and (since or until):
        raise typer.BadParameter("give --month, or --since and --until, not both")
    if since is None:
        if until:
            raise typer.BadParameter("--until needs --since")
        return Month.parse(month) if month else Month.of(now)
    return Span(moment("since", since), moment("until", until) if until else now)
