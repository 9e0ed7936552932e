"""Keeps entries in a local synced file while the database is away, and imports them afterwards.

Each process writes a file of its own and holds a lock on it as long as it lives, so a file that
can be locked belongs to nobody any more and whoever finds it imports it. An import that is
repeated adds nothing: an entry is known by its id and its bytes.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ai_agent_mesh.evidence.entry import Entry, EntryUnreadable, Receipt
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger.facts import LedgerUnavailable
from ai_agent_mesh.product.ledger.inbox import append

_CHUNK = 1_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Together:
    """Lines that are synced at the same time."""

    lines: list[bytes] = field(default_factory=list)
    synced: bool = False


class Spool:
    """Entries that wait in `folder` for the database to come back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._lock = asyncio.Lock()
        self._together = _Together()

    async def keep(self, entry: Entry) -> Receipt:
        """Return the receipt once the entry, marked late, is on disk.

        Raises:
            LedgerUnavailable: the disk refused too.
        """
        canonical = msgspec.structs.replace(entry, late=True).canonical
        together = self._together
        together.lines.append(canonical + b"\n")
        async with self._lock:
            if not together.synced:
                if self._together is together:
                    self._together = _Together()
                try:
                    await asyncio.to_thread(self._write, b"".join(together.lines))
                except OSError as error:
                    raise LedgerUnavailable(reason=f"its spool refused ({error})") from error
                together.synced = True
        return Receipt.of(entry.id, canonical)

    def waiting(self) -> int:
        """Return how many files are still to be imported, or could not be."""
        return sum(path.suffix in {".ndjson", ".broken"} for path in self._folder.glob("*"))

    async def drain(self, ledger: Database) -> int:
        """Import every file that no living process writes to and return how many entries were new.

        `ledger` is a pool of the role mesh_ledger. Files are removed after their commit.

        Raises:
            DatabaseAway: it is still away; nothing is lost.
        """
        async with self._lock:
            self._release()
        new = 0
        for path in sorted(self._folder.glob("*.ndjson")):
            new += await self._import(path, ledger)
        return new

    async def _import(self, path: Path, ledger: Database) -> int:
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            entries = list(_entries(await asyncio.to_thread(path.read_bytes)))
            new = 0
            for first in range(0, len(entries), _CHUNK):
                async with ledger.transaction() as tx:
                    new += await append(tx, entries[first : first + _CHUNK])
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except BlockingIOError:
            return 0
        except EntryUnreadable as fact:
            log.error("ledger.spool_broken", path=str(path), reason=fact.detail)  # noqa: TRY400
            await asyncio.to_thread(path.rename, path.with_suffix(".broken"))
            return 0
        finally:
            os.close(file)
        return new

    def _write(self, lines: bytes) -> None:
        if self._file is None:
            self._file = self._opened()
        size = os.fstat(self._file).st_size
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def _opened(self) -> int:
        """Make a file, and give it its name only once it is locked: nobody can import it before."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{new_id('spl')}.new"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        path.rename(path.with_suffix(".ndjson"))
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file

    def _release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _entries(content: bytes) -> Iterator[tuple[Entry, bytes]]:
    """Read complete lines; a last one cut off was never acknowledged."""
    *lines, _torn = content.split(b"\n")
    for line in lines:
        yield Entry.decode(line), line
