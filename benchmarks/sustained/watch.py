"""Looks at the running system every few seconds: each process's memory, and the ledger's lag."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

EVERY_S = 5.0
_LAG = "mesh_ledger_sequencer_lag_seconds"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the first, and kilobytes by process, its children included."""

    at_s: float
    kilobytes: Mapping[str, int]
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
                lag = _lag((await http.get("/metrics")).text)
                named = frozenset(pids.values())
                sizes = {name: sum(map(_pss, _family(pid, named))) for name, pid in pids.items()}
                self.samples.append(Sample(time.monotonic() - began, sizes, lag))
                await asyncio.sleep(EVERY_S)

    def memory(self, name: str) -> list[tuple[float, int]]:
        """Return (seconds, kilobytes) of one process."""
        return [(sample.at_s, sample.kilobytes[name]) for sample in self.samples]


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
    """Return a process's share of memory in kilobytes: what several share is divided among them."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:"), 0)


def _lag(metrics: str) -> float:
    found = [line for line in metrics.splitlines() if line.startswith(f"{_LAG} ")]
    return float(found[0].split()[1])
