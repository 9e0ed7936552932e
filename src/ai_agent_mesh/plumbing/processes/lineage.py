"""Which processes are ours: a child that dies with its parent, and those that work in a folder."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` after which the child gets `by` as soon as its parent is gone.

    The kernel watches the thread that forks: fork from the main thread. It forgets the wish when
    the child changes its user, so the wish is spoken after that (`subprocess` runs `preexec_fn`
    last). Outside Linux the child outlives a killed parent, and the next start clears it away.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def wish() -> None:
        prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
        if os.getppid() != parent:  # the parent went between fork and wish
            os.kill(os.getpid(), by)

    return wish


def working_in(folder: Path) -> tuple[int, ...]:
    """Return the ids of the processes whose working folder is `folder` (none without /proc)."""
    wanted = str(folder.resolve())
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((entry / "cwd").readlink()) == wanted and not _is_dead(entry):
                found.append(int(entry.name))
    return tuple(found)


def signal_all(pids: Iterable[int], by: signal.Signals) -> None:
    """Send `by` to each process that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, by)


def _is_dead(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] in {"Z", "X"}
