"""Looks at the running system every few seconds: memory, processor time, and the ledger's lag."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

EVERY_S = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")
_LAG = "mesh_ledger_sequencer_lag_seconds"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the first; by process, its children included, kilobytes and CPU.

    `busy_s` is the processor time of the whole machine, so that it shows when the measurement was
    not alone on it.
    """

    at_s: float
    kilobytes: Mapping[str, int]
    cpu_s: Mapping[str, float]
    busy_s: float
    lag_s: float


@dataclass(slots=True)
class Watch:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)

    async def keep(self, pids: Mapping[str, int], port: int) -> None:
        """Look until cancelled."""
        began = time.monotonic()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            while True:
                lag_s = _lag((await http.get("/metrics")).text)
                at_s = time.monotonic() - began
                self.samples.append(_sample(at_s, pids, lag_s))
                await asyncio.sleep(EVERY_S)

    def memory(self, name: str) -> list[tuple[float, int]]:
        """Return (seconds, kilobytes) of one process."""
        return [(sample.at_s, sample.kilobytes[name]) for sample in self.samples]

    def cores(self, name: str) -> float:
        """Return how many processors one process used, on average."""
        first, last = self.samples[0], self.samples[-1]
        spent = last.cpu_s[name] - first.cpu_s[name]
        return spent / (last.at_s - first.at_s) if last.at_s > first.at_s else 0.0

    def cores_elsewhere(self) -> float:
        """Return how many processors everything else on the machine used, on average."""
        first, last = self.samples[0], self.samples[-1]
        whole = (last.busy_s - first.busy_s) / (last.at_s - first.at_s or 1)
        return whole - sum(map(self.cores, first.cpu_s))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line of least squares.

    >>> slope([(0, 1), (1, 3), (2, 5)])
    2.0
    """
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    over = sum((x - middle_x) * (y - middle_y) for x, y in points)
    under = sum((x - middle_x) ** 2 for x, _ in points)
    return over / under if under else 0.0


def _sample(at_s: float, pids: Mapping[str, int], lag_s: float) -> Sample:
    named = frozenset(pids.values())
    families = {name: list(_family(pid, named)) for name, pid in pids.items()}
    return Sample(
        at_s,
        {name: sum(map(_pss, family)) for name, family in families.items()},
        {name: sum(map(_cpu_s, family)) for name, family in families.items()},
        _busy_s(),
        lag_s,
    )


def _family(pid: int, named: frozenset[int]) -> Iterator[int]:
    """Yield a process and all that came of it, but for those that are named themselves."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in map(int, children.split()):
        if child not in named:
            yield from _family(child, named)


def _pss(pid: int) -> int:
    """Return a process's share of memory in kilobytes: what several share is divided among them.

    Memory made to be shared is left out: PostgreSQL's buffers fill up to their setting, once.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return sizes["Pss"] - sizes["Pss_Shmem"]


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process, and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _busy_s() -> float:
    """Return the processor time that the machine has spent on anything."""
    user, nice, system, _idle, _waiting, *rest = (
        int(part) for part in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + sum(rest[:2])) / _TICKS


def _lag(metrics: str) -> float:
    found = [line for line in metrics.splitlines() if line.startswith(f"{_LAG} ")]
    return float(found[0].split()[1])
