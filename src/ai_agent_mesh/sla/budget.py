"""How much unavailability a promise allows, and how much of it is left."""

from fractions import Fraction


def allowed_budget(objective: Fraction, counted: int | Fraction) -> Fraction:
    """Return the minutes that may be lost of so many counted ones: (1 - objective) × counted.

    Source: Google, "The Site Reliability Workbook", chapter 2, error budget.

    >>> allowed_budget(Fraction("0.999"), 43_200)
    Fraction(216, 5)
    """
    return (1 - objective) * counted


def budget_left(allowed: Fraction, lost: Fraction) -> Fraction:
    """Return the share of the allowed minutes that is left; negative once more was lost.

    Where nothing is allowed it is 1 as long as nothing is lost, and then 0.

    >>> budget_left(Fraction(43), Fraction(86))
    Fraction(-1, 1)
    >>> budget_left(Fraction(0), Fraction(1))
    Fraction(0, 1)
    """
    if allowed == 0:
        return Fraction(0 if lost else 1)
    return 1 - lost / allowed
