"""Time spent on the outside, counted for the unit of work that waited."""

import time
from types import TracebackType
from typing import Self

from ai_agent_mesh.product.agents.ports import Work


class Stopwatch:
    """Add the time inside to what `work` waited, also when it ends in an error."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._began = 0

    def __enter__(self) -> Self:
        self._began = time.perf_counter_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._work.waited(self.elapsed_us)

    @property
    def elapsed_us(self) -> int:
        """Return the microseconds since it was entered."""
        return (time.perf_counter_ns() - self._began) // 1000


class Deadline:
    """A span of seconds that began when it was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began = time.perf_counter_ns()

    @property
    def elapsed_us(self) -> int:
        """Return the microseconds that have passed."""
        return (time.perf_counter_ns() - self._began) // 1000

    @property
    def left_s(self) -> float:
        """Return the seconds that are left, negative when it is over."""
        return self.seconds - (time.perf_counter_ns() - self._began) / 1e9
