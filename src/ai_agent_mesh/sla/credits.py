"""What is paid back when a month fell short: a ladder of half-open steps, read exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class CreditStep:
    """From `at_least` (inside) to `below` (outside) the share `credit` of the fee is due."""

    below: Fraction
    at_least: Fraction
    credit: Fraction


def credit_percent(availability: Fraction, ladder: Sequence[CreditStep] | None) -> Fraction:
    """Return the share of the monthly fee that is due (0 to 1); 0 on a tier without a ladder.

    The availability is compared as it is, never rounded first.

    >>> ladder = [CreditStep(Fraction("0.999"), Fraction("0.99"), Fraction("0.25"))]
    >>> credit_percent(Fraction("0.999"), ladder), credit_percent(Fraction("0.99"), ladder)
    (Fraction(0, 1), Fraction(1, 4))
    """
    for step in ladder or ():
        if step.at_least <= availability < step.below:
            return step.credit
    return Fraction(0)
