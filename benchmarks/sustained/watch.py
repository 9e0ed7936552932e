"""Looks at the running system every few seconds: memory, processor time, and the ledger's lag."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.processor import busy_s, cpu_s, family

EVERY_S = 5.0
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
    families = {name: list(family(pid, named)) for name, pid in pids.items()}
    return Sample(
        at_s,
        {name: sum(map(_pss, members)) for name, members in families.items()},
        {name: sum(map(cpu_s, members)) for name, members in families.items()},
        busy_s(),
        lag_s,
    )


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


def _lag(metrics: str) -> float:
    found = [line for line in metrics.splitlines() if line.startswith(f"{_LAG} ")]
    return float(found[0].split()[1])
