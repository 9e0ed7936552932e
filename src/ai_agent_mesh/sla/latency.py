"""Latency attainment: the share of timed calls strictly under a threshold, held against a percentile."""  # noqa: E501

from dataclasses import dataclass
from fractions import Fraction

#: What the name of a percentile means.
PERCENTILES: dict[str, Fraction] = {
    "p50": Fraction(50, 100),
    "p95": Fraction(95, 100),
    "p99": Fraction(99, 100),
}


@dataclass(frozen=True, slots=True)
class Attainment:
    """The share that was within, None where there were no calls, and whether that is enough."""

    share: Fraction | None
    met: bool


def attainment(within: int, timed: int, percentile: str) -> Attainment:
    """Return how well a latency target was kept: p95 asks for at least 95% within.

    Raises KeyError for an unknown percentile and ValueError for counts that cannot be.

    >>> attainment(95, 100, "p95"), attainment(0, 0, "p99")
    (Attainment(share=Fraction(19, 20), met=True), Attainment(share=None, met=True))
    """
    target = PERCENTILES[percentile]
    if not 0 <= within <= timed:
        raise ValueError(f"{within} of {timed} calls cannot be within a threshold")
    if timed == 0:
        return Attainment(None, True)
    share = Fraction(within, timed)
    return Attainment(share, share >= target)
