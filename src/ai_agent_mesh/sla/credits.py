"""What is paid back when a month fell short: a ladder read exactly, of a fee prorated by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import Month, Span

_TICK = timedelta.resolution


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


def prorated_fee(monthly: Fraction, span: Span) -> Fraction:
    """Return what a span costs at so much a month: of each calendar month its share by time.

    >>> from datetime import UTC, datetime
    >>> days = Span(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    >>> prorated_fee(Fraction(5000), days)
    Fraction(2500, 1)
    """
    total, month = Fraction(0), Month.of(span.since)
    while month.since < span.until:
        if part := month.span.overlap(span):
            total += monthly * Fraction(part.length // _TICK, month.span.length // _TICK)
        month = month.next()
    return total
