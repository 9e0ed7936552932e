"""A mergeable latency sketch of logarithmic buckets, for percentiles shown to people.

Source: Masson, Rim and Lee, "DDSketch", VLDB 2019, section 2. With relative error a and
gamma = (1 + a) / (1 - a), bucket i holds the values in (gamma^(i-1), gamma^i]; the estimate
2 gamma^i / (gamma + 1) is within a of every one of them. For a = 1% gamma is 101/99. The bounds
are computed in whole numbers, so that every machine puts a value into the same bucket.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from math import ceil

_ERROR = Fraction(1, 100)
_GAMMA = (1 + _ERROR) / (1 - _ERROR)
_LARGEST_US = 2**40  # twelve days; what is longer counts as this


def _bounds() -> tuple[int, ...]:
    over, under, bounds = 1, 1, [1]
    while bounds[-1] < _LARGEST_US:
        over, under = over * _GAMMA.numerator, under * _GAMMA.denominator
        bounds.append(over // under)
    return tuple(bounds)


_BOUNDS = _bounds()


class Sketch:
    """Buckets of latencies in microseconds; a sketch's content is a mapping bucket → count."""

    #: The largest relative error of a quantile.
    error = _ERROR

    @staticmethod
    def index_of(latency_us: int) -> int:
        """Return the bucket of a latency; below one microsecond it is that of one.

        >>> Sketch.index_of(1), Sketch.index_of(1_000), Sketch.index_of(1_000_000)
        (0, 346, 691)
        """
        return min(bisect_left(_BOUNDS, max(latency_us, 1)), len(_BOUNDS) - 1)

    @staticmethod
    def value_of(index: int) -> float:
        """Return the latency in microseconds that stands for a bucket.

        >>> abs(Sketch.value_of(Sketch.index_of(250_000)) / 250_000 - 1) <= 0.01
        True
        """
        return float(2 * _GAMMA**index / (_GAMMA + 1))

    @staticmethod
    def quantile(counts: Mapping[int, int], q: Fraction | float) -> float | None:
        """Return the latency in microseconds at quantile `q` (0 to 1); None of an empty sketch.

        It is the value of the smallest rank that at least the share `q` lies at or below.

        >>> counts = Sketch.of([100, 200, 300, 400])
        >>> round(Sketch.quantile(counts, 0.5) or 0)
        198
        """
        total = sum(counts.values())
        if total == 0:
            return None
        rank, passed = (
            max(1, ceil(Fraction(str(q)) * total)),
            0,
        )  # str: 0.07 means 7%, not a bit more
        index = -1
        for index in sorted(counts):
            passed += counts[index]
            if passed >= rank:
                break
        return Sketch.value_of(index)

    @staticmethod
    def of(latencies_us: "list[int] | tuple[int, ...]") -> Counter[int]:
        """Return the sketch of some latencies in microseconds."""
        return Counter(map(Sketch.index_of, latencies_us))

    @staticmethod
    def merged(*sketches: Mapping[int, int]) -> Counter[int]:
        """Return one sketch of all that several hold; the order makes no difference."""
        total: Counter[int] = Counter()
        for sketch in sketches:
            total.update(sketch)
        return total
