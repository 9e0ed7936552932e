"""How an exact share is written: as a percentage and as a fraction."""

from fractions import Fraction

DIGITS = 12


def percent_text(share: Fraction, digits: int = DIGITS) -> str:
    """Return a share as a percentage with as many decimals as it needs, up to `digits`.

    What does not end is cut off, not rounded: a figure never looks better than it is.

    >>> percent_text(Fraction(1)), percent_text(Fraction("0.9999")), percent_text(Fraction(2, 3), 4)
    ('100%', '99.99%', '66.6666%')
    """
    scaled = abs(share) * 100 * 10**digits
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**digits)
    decimals = f"{rest:0{digits}d}".rstrip("0") if digits else ""
    sign = "-" if share < 0 and (whole or decimals) else ""
    return f"{sign}{whole}.{decimals}%" if decimals else f"{sign}{whole}%"


def fraction_text(share: Fraction) -> str:
    """Return a share as "n/d" in lowest terms.

    >>> fraction_text(Fraction(2, 4)), fraction_text(Fraction(1))
    ('1/2', '1/1')
    """
    return f"{share.numerator}/{share.denominator}"
