"""One measured figure, its target, and the yardstick it is held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: all text, because units differ."""

    what: str
    measured: str
    target: str = ""
    yardstick: str = ""
    ratio: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all lie at or below (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]
