"""A percentile beside the latency that is promised at it, all of a page on one scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ai_agent_mesh.operations.objectives.console.axis import percent
from ai_agent_mesh.operations.statements import Slo

#: The scale's lower end, and the least that its upper end is, as powers of ten of milliseconds.
_LEAST, _MOST = 0, 3


@dataclass(frozen=True, slots=True)
class Timed:
    """How far a percentile and its threshold reach across, as shares of the width."""

    reach: str
    promised: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Milliseconds by powers of ten, from 1 up to the power that all of some objectives need."""

    top: int

    @classmethod
    def over(cls, slos: Sequence[Slo]) -> "Scale":
        """Return the scale of some latency objectives.

        >>> Scale.over([]).words
        'from 1 ms to 1,000 ms, in powers of ten'
        """
        told = [one for slo in slos for one in (slo.percentile_ms, slo.threshold_ms) if one]
        return cls(max(_MOST, math.ceil(math.log10(max(told, default=1)))))

    @property
    def words(self) -> str:
        """Say what the scale spans."""
        return f"from 1 ms to {10**self.top:,} ms, in powers of ten"

    def of(self, ms: float) -> float:
        """Return how far across a latency lies, from 0 to 1.

        >>> [round(Scale(3).of(ms), 2) for ms in (0.2, 1, 10, 1000)]
        [0.0, 0.0, 0.33, 1.0]
        """
        way = (math.log10(max(ms, 10**_LEAST)) - _LEAST) / (self.top - _LEAST)
        return min(way, 1.0)

    def timed(self, slo: Slo) -> Timed | None:
        """Return what is drawn of an objective; nothing without a percentile."""
        if slo.percentile_ms is None or slo.threshold_ms is None:
            return None
        return Timed(
            # What is 1 ms or less is seen as well.
            reach=percent(max(self.of(slo.percentile_ms), 0.01)),
            promised=percent(self.of(slo.threshold_ms)),
            missed=slo.met is False,
        )
