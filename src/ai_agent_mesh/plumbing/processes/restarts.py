"""How often a supervised process had to be started again, kept in a file that others may read."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

#: So many of a process's last restarts are kept with their moment.
_KEPT = 50


class Restarts(msgspec.Struct, frozen=True):
    """How often since the supervisor began, and when the last ones were."""

    count: int = 0
    last: tuple[datetime, ...] = ()

    def since(self, at: datetime) -> int:
        """Return how many of them came at `at` or later."""
        return sum(one >= at for one in self.last)


def begin_restarts(file: Path, processes: Iterable[str]) -> None:
    """Count from 0 anew: who watches a count that is first seen at 1 has missed a restart."""
    _write(file, {process: Restarts() for process in processes})


def note_restart(file: Path, process: str, at: datetime) -> None:
    """Add one restart of a process. Only the one supervisor of a folder writes."""
    known = dict(read_restarts(file))
    before = known.get(process, Restarts())
    known[process] = Restarts(before.count + 1, (*before.last, at)[-_KEPT:])
    _write(file, known)


def _write(file: Path, known: Mapping[str, Restarts]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(known))
    fresh.replace(file)  # whoever reads meanwhile reads the old one whole


def read_restarts(file: Path) -> Mapping[str, Restarts]:
    """Return the restarts by process; none where nobody supervises, or nothing can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Restarts])
    except (OSError, msgspec.DecodeError):
        return {}
