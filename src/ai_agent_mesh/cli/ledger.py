"""`mesh ledger`: the evidence, exported and verified, from the database or from files alone."""

import base64
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.status import Status

from ai_agent_mesh.cli.console import Json, operator, speak, tenant_named, with_mesh
from ai_agent_mesh.cli.moments import moment
from ai_agent_mesh.kernel.errors import Conflict, Fault, Invalid, NotFound

if TYPE_CHECKING:
    from ai_agent_mesh.product.ledger import Report
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Export and verify the ledger.", no_args_is_help=True)

FILE = "ledger.ndjson"


class LedgerUnsound(Conflict):
    """The ledger is not sound: {failed} failed, first {check} at {place}: {reason}."""


class ExportMissing(NotFound):
    """There is no ledger export at {path}."""


class MalformedKey(Invalid):
    """{text!r} is neither 32 bytes of base64 nor a file that holds them."""


class AmendmentInvalid(Invalid):
    """This correction cannot be made as it is."""


class Exported(msgspec.Struct, frozen=True):
    """What an export came to."""

    path: str
    lines: int
    bytes: int


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="File, folder, or - for standard output.")],
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="One tenant only.")] = None,
    since: Annotated[str | None, typer.Option(help="From this moment on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Before this moment (UTC).")] = None,
    as_json: Json = False,
) -> None:
    """Write entries, batches and keys as lines of JSON that anyone can verify."""
    begins = moment("since", since) if since else None
    ends = moment("until", until) if until else None

    async def work(mesh: "Mesh") -> Exported:
        from ai_agent_mesh.product.ledger import export as exported

        chosen = await tenant_named(mesh, tenant) if tenant else None
        lines = exported(mesh.operations, tenant=chosen, since=begins, until=ends)
        return await _write(lines, out)

    done = with_mesh(work)
    if str(out) != "-":
        speak(done, as_json=as_json, text=lambda: f"{done.path}: {done.lines} lines")


@app.command()
def verify(
    path: Annotated[Path | None, typer.Argument(help="An export; without it the database.")] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", help="A public key to trust: base64 or a file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check bytes, hashes, roots, signatures and numbering; in the database the roll-ups too.

    In the database the key of this installation is trusted, and those that --key gives. A file is
    checked with its own keys unless --key says whose they must be.
    """
    pinned = [public_key(text) for text in key or ()]
    report = _in_database(pinned) if path is None else _in_file(path, pinned)
    speak({"sound": report.sound, **msgspec.structs.asdict(report)}, as_json=as_json,
          text=lambda: _told(report))  # fmt: skip
    if report.failures:
        first = report.failures[0]
        raise LedgerUnsound(
            failed=f"{len(report.failures)} kind(s) of check",
            check=str(first.check), place=first.place, reason=first.reason,
        )  # fmt: skip


@app.command()
def amend(
    entry: Annotated[str, typer.Argument(help="The call's entry, ent_…")],
    fault: Annotated[
        str, typer.Option(help="Whose it was: none, client, quota, upstream, platform.")
    ],
    reason: Annotated[str, typer.Option(help="Why; statements tell it.")],
    as_json: Json = False,
) -> None:
    """Correct whose fault a call was, by an entry of its own; figures and credits follow."""
    from ai_agent_mesh.operations.amendments import AmendmentDraft, Amendments, AmendmentView
    from ai_agent_mesh.product.identity import PLATFORM_TENANT

    try:
        draft = msgspec.convert({"entry": entry, "fault": fault, "reason": reason}, AmendmentDraft)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        raise AmendmentInvalid(faults=[Fault(place.rstrip("`"), what)]) from error

    async def work(mesh: "Mesh") -> AmendmentView:
        amendments = Amendments(mesh.operations, mesh.playbook, mesh.clock)
        async with mesh.app.tenant(PLATFORM_TENANT) as tx:
            return await amendments.amend(tx, draft, operator())

    done = with_mesh(work)
    speak(
        done,
        as_json=as_json,
        text=lambda: f"{done.id}: {done.entry} was {done.was}, is {done.fault}",
    )


def _in_database(pinned: list[bytes]) -> "Report":
    async def work(mesh: "Mesh") -> "Report":
        from ai_agent_mesh.product.ledger import verify as verified

        trusted = [mesh.signer.public_bytes, *pinned]
        with _progress() as status:
            return await verified(
                mesh.operations, pinned=trusted, progress=lambda n: status.update(f"{n} entries")
            )

    return with_mesh(work)


def _in_file(path: Path, pinned: list[bytes]) -> "Report":
    from ai_agent_mesh.evidence import audited

    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise ExportMissing(path=str(path))
    with file.open("rb") as lines, _progress() as status:
        return audited(_counted(lines, status), pinned=pinned)


def _counted(lines: Iterable[bytes], status: Status) -> Iterator[bytes]:
    for count, line in enumerate(lines, 1):
        if count % 1_000 == 0:
            status.update(f"{count} lines")
        yield line


async def _write(lines: AsyncIterator[bytes], out: Path) -> Exported:
    """Write to standard output, or to a file that gets its name once it is complete."""
    if str(out) == "-":
        return await _counted_out(lines, sys.stdout.buffer, "-")
    return await poured(lines, _file_of(out))


async def poured(lines: AsyncIterator[bytes], out: Path) -> Exported:
    """Write lines to a file that gets its name once it is complete, and only its owner reads."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    # Entries say who did what: nobody else on this machine may read them.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            done = await _counted_out(lines, file, str(out))
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    return done


def _file_of(out: Path) -> Path:
    """Return the file meant: a name without an ending is a folder. Its folder exists then."""
    file = out / FILE if out.is_dir() or not out.suffix else out
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


async def _counted_out(lines: AsyncIterator[bytes], file: IO[bytes], name: str) -> Exported:
    count = size = 0
    with _progress() as status:
        async for line in lines:
            size += file.write(line)
            count += 1
            if count % 1_000 == 0:
                status.update(f"{count} lines")
    file.flush()
    return Exported(name, count, size)


@contextmanager
def _progress() -> Iterator[Status]:
    with Console(stderr=True).status("starting") as status:
        yield status


def _told(report: "Report") -> str:
    lines = [
        f"{report.entries} entries in {report.batches} batches of {len(report.tenants)} tenants",
        f"signed by {', '.join(report.keys) or 'nobody'}",
    ]
    lines += [f"  {tenant}: up to number {last}" for tenant, last in report.tenants.items()]
    lines += [
        f"FAILED {one.check} at {one.place}: {one.reason}"
        + (f" (and {one.times - 1} more)" if one.times > 1 else "")
        for one in report.failures
    ]
    return "\n".join([*lines, "sound" if report.sound else "not sound"])


def public_key(text: str) -> bytes:
    """Read a public key from base64, or from a file that holds base64."""
    file = Path(text)
    content = file.read_text() if len(text) < 256 and file.is_file() else text
    try:
        public = base64.b64decode(content.strip(), validate=True)
    except ValueError:
        public = b""
    if len(public) != 32:
        raise MalformedKey(text=text[:80], faults=[Fault("--key", "must be an Ed25519 key")])
    return public
