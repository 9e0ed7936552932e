"""How much processor time processes have used, as Linux counts it."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int, named: frozenset[int] = frozenset()) -> Iterator[int]:
    """Yield a process and all that came of it, but for those that are named themselves."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in map(int, children.split()):
        if child not in named:
            yield from family(child, named)


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, and of its children that have ended, in seconds."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def on_processor_s(pid: int) -> float:
    """Return the processor time of a process alone, to the nanosecond, in seconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def busy_s() -> float:
    """Return the processor time that the machine has spent on anything, in seconds."""
    user, nice, system, _idle, _waiting, *rest = (
        int(part) for part in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + sum(rest[:2])) / _TICKS
