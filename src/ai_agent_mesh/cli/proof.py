"""Evidence bundles at the console: written to a file, and checked with nothing but the file."""

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ai_agent_mesh.kernel.errors import Conflict, NotFound

if TYPE_CHECKING:
    from ai_agent_mesh.operations.statements import Verdict

BUNDLE = "statement.ndjson"
#: Bytes. A year of outages every other minute fits into the longest line, the statement's.
LONGEST_LINE = 64 * 1024 * 1024


class BundleMissing(NotFound):
    """There is no statement or bundle at {path}."""


class BundleUnsound(Conflict):
    """The statement is not proven: {check} at {place}: {reason}."""


def bundle_file(out: Path) -> Path:
    """Return the file that is meant: a name without an ending is a folder."""
    return out / BUNDLE if out.is_dir() or not out.suffix else out


def verify_file(path: Path, pinned: Sequence[bytes], tick: Callable[[int], None]) -> "Verdict":
    """Check a bundle, or a statement's page that carries one; it may be compressed (gzip).

    Raises:
        BundleMissing: there is no such file.
    """
    from ai_agent_mesh.operations.statements import carried, verified

    file = path / BUNDLE if path.is_dir() else path
    if not file.is_file():
        raise BundleMissing(path=str(path))
    if file.suffix in {".html", ".htm"}:
        return verified(carried(file.read_bytes()), pinned=pinned)
    with _opened(file) as lines:
        return verified(_counted(_lines(lines), tick), pinned=pinned)


def confirmed(verdict: "Verdict", *, trusted: bool) -> str:
    """Say what was proven, if anything was, and whose word it rests on."""
    one = verdict.statement
    if one is None or not verdict.sound:
        return "not proven"
    grounds = {
        "entries": f"{verdict.entries} ledger entries in {verdict.batches} batches",
        "minutes": "the signed minutes; the entries themselves are not in this file",
    }[verdict.drawn_from]
    keys = ", ".join(verdict.keys)
    whose = (
        f"Signed by {keys}, the key that you trust."
        if trusted
        else f"Signed by {keys}, the file's own key: give --key to say whose it must be."
    )
    period = one.month or f"{one.since:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M} UTC"
    credit = ", ".join(f"{due.amount} {due.currency}" for due in one.credit) or "none"
    return (
        f"{one.tenant_name}, {period}: {one.availability or 'nothing to judge'}, credit {credit}\n"
        f"Every figure recomputed from {grounds}.\n{whose}"
    )


def failed(verdict: "Verdict") -> Iterator[str]:
    """Yield a line for each check that failed."""
    for one in verdict.failures:
        more = f" (and {one.times - 1} more)" if one.times > 1 else ""
        yield f"FAILED {one.check} at {one.place}: {one.reason}{more}"


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        if packed:
            with gzip.open(plain) as lines:
                yield cast("IO[bytes]", lines)  # a GzipFile reads lines like any other
        else:
            yield plain


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; a longer one comes in pieces, which no verifier can read."""
    return iter(partial(file.readline, LONGEST_LINE), b"")


def _counted(lines: Iterable[bytes], tick: Callable[[int], None]) -> Iterator[bytes]:
    for count, line in enumerate(lines, 1):
        if count % 1_000 == 0:
            tick(count)
        yield line
