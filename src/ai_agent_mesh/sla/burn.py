"""How fast an error budget is spent, and when that is too fast.

Source: Google, "The Site Reliability Workbook", chapter 5, approach 6 (multiwindow, multi-burn-rate
alerts). A burn rate of 1 spends exactly the budget by the period's end. Spending the share b of a
period's budget within a window w takes a rate of b × period / w; the alarm asks for more than
that over the window and, so that it ends soon after the trouble, over a short window at its end.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import NamedTuple, TypeAlias

#: An exact rate, or `math.inf`, the one float among them: nothing may fail and something did.
BurnRate: TypeAlias = Fraction | float

_LEAST = Fraction(1)


class Requests(NamedTuple):
    """Valid requests of a window, and the bad ones among them."""

    valid: int
    bad: int

    def __add__(self, other: object) -> "Requests":
        """Return both windows' requests as one: traffic weighs, never a mean of shares."""
        if not isinstance(other, Requests):
            return NotImplemented
        return Requests(self.valid + other.valid, self.bad + other.bad)


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """An alarm when more than the share `budget` is spent within `length`, and still is in `short`."""  # noqa: E501

    budget: Fraction
    length: timedelta
    short: timedelta

    def factor(self, period: timedelta) -> Fraction:
        """Return the burn rate above which it alarms in a period of that length, never below 1:
        a budget that lasts to the period's end is no trouble.

        The Workbook's table 5-8, for 30 days; and February, whose slowest factor would be 14/15:

        >>> hour, month = timedelta(hours=1), timedelta(days=30)
        >>> rates = {1: "0.02", 6: "0.05", 24: "0.1", 72: "0.1"}
        >>> windows = [BurnWindow(Fraction(b), h * hour, h * hour / 12) for h, b in rates.items()]
        >>> [float(window.factor(month)) for window in windows]
        [14.4, 6.0, 3.0, 1.0]
        >>> windows[-1].factor(timedelta(days=28))
        Fraction(1, 1)
        """
        tick = timedelta.resolution
        return max(_LEAST, self.budget * Fraction(period // tick, self.length // tick))


def burn_rate(requests: Requests, objective: Fraction) -> BurnRate | None:
    """Return bad share / (1 - objective); None without a valid request.

    Where nothing may fail (an objective of 100%) it is 0 or infinite.

    >>> burn_rate(Requests(1000, 1), Fraction("0.999"))
    Fraction(1, 1)
    >>> burn_rate(Requests(10, 1), Fraction(1)), burn_rate(Requests(0, 0), Fraction("0.999"))
    (inf, None)
    """
    if requests.valid == 0:
        return None
    allowed = 1 - objective
    if allowed == 0:
        return math.inf if requests.bad else Fraction(0)
    return Fraction(requests.bad, requests.valid) / allowed


def burns(requests: Requests, objective: Fraction, factor: Fraction) -> bool:
    """Tell whether a window burns faster than `factor`; an empty one burns nothing.

    >>> burns(Requests(10_000, 144), Fraction("0.999"), Fraction("14.4"))
    False
    >>> burns(Requests(10_000, 145), Fraction("0.999"), Fraction("14.4"))
    True
    """
    rate = burn_rate(requests, objective)
    return rate is not None and rate > factor


def alarms(
    window: BurnWindow,
    long: Requests,
    short: Requests,
    *,
    objective: Fraction,
    period: timedelta,
    min_requests: int,
) -> bool:
    """Tell whether the budget is spent too fast over the window and its short end alike.

    A short window with fewer than `min_requests` valid requests proves nothing.
    """
    factor = window.factor(period)
    enough = short.valid >= min_requests
    return enough and burns(long, objective, factor) and burns(short, objective, factor)


def reachable(window: BurnWindow, objective: Fraction, period: timedelta) -> bool:
    """Tell whether any traffic at all could raise the alarm: no rate is above 1 / (1 - objective).

    >>> day = timedelta(days=1)
    >>> reachable(BurnWindow(Fraction("0.02"), day / 24, day / 288), Fraction("0.5"), 30 * day)
    False
    """
    return (1 - objective) * window.factor(period) < 1


def budget_lasts(left: Fraction, rate: BurnRate, period: timedelta) -> timedelta | None:
    """Return how long the share `left` of a period's budget lasts at a rate, to the microsecond.

    None means for ever: nothing is spent. The Workbook's table 5-4, at 99.9% over 30 days:

    >>> [str(budget_lasts(Fraction(1), Fraction(r), timedelta(days=30))) for r in (1, 2, 10, 1000)]
    ['30 days, 0:00:00', '15 days, 0:00:00', '3 days, 0:00:00', '0:43:12']
    """
    if rate == 0:
        return None
    if left <= 0 or rate == math.inf:
        return timedelta(0)
    ticks = Fraction(period // timedelta.resolution) * left / Fraction(rate)
    if ticks >= timedelta.max // timedelta.resolution:
        return None
    return timedelta(microseconds=int(ticks))
