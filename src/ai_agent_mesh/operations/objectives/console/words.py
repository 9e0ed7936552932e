"""How a figure is said on the page: cut off, never rounded up, so that it never flatters."""

import math
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from ai_agent_mesh.sla import BurnRate, percent_text


def moment(at: datetime) -> str:
    """Return a moment to its minute."""
    return f"{at:%-d %B, %H:%M} UTC"


def share(left: Fraction) -> str:
    """Return what is left of a budget, in whole percent below zero and one decimal above.

    >>> share(Fraction(1)), share(Fraction(999, 1000)), share(Fraction(-1, 3)), share(Fraction(-30))
    ('100%', '99.9%', '−34%', '−3,000%')
    """
    if left >= 0:
        return percent_text(left, 1)
    whole = -(left * 100).__floor__()
    return f"−{whole:,}%"


def rate(burn: BurnRate | None) -> str:
    """Return a burn rate with as many digits as matter; more is never told as less.

    >>> [rate(Fraction(n, 1000)) for n in (0, 4, 126, 1000, 14400, 5183000)]
    ['0', '0.004', '0.13', '1', '14.4', '5,183']
    >>> rate(math.inf), rate(None)
    ('∞', '–')
    """
    if burn is None:
        return "–"
    if burn == math.inf:
        return "∞"
    exact = Decimal(Fraction(burn).numerator) / Decimal(Fraction(burn).denominator)
    places = 0 if exact >= 100 else 1 if exact >= 10 else 2 if exact >= Decimal("0.01") else 3
    shown = exact.quantize(Decimal(1).scaleb(-places), ROUND_CEILING).normalize()
    return f"{shown:,f}"


def minutes(figure: str | Fraction) -> str:
    """Return minutes of a budget, to a hundredth, cut off towards zero.

    >>> minutes("4.319"), minutes("-0.5"), minutes("216"), minutes(Fraction(-4, 3))
    ('4.31', '−0.5', '216', '−1.33')
    """
    text = percent_text(abs(Fraction(figure)) / 100, 2).removesuffix("%")
    whole, dot, decimals = text.partition(".")
    sign = "−" if Fraction(figure) < 0 and text != "0" else ""
    return f"{sign}{int(whole):,}{dot}{decimals}"


def milliseconds(figure: float) -> str:
    """Return a latency to three digits, without powers of ten.

    >>> milliseconds(1.748), milliseconds(12.49), milliseconds(1234.6)
    ('1.75', '12.5', '1,235')
    """
    places = 0 if figure >= 100 else 1 if figure >= 10 else 2
    return f"{figure:,.{places}f}"
