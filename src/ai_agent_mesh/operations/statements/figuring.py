"""How exact figures are written down: shares and minutes as text, money in whole cents."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.operations.statements.model import Evidence, Tenure
from ai_agent_mesh.operations.statements.statement import Amount, Budget, Minutes, ServiceFigures
from ai_agent_mesh.playbook import Tier
from ai_agent_mesh.sla import (
    BY_MINUTE,
    Judged,
    Judgement,
    Terms,
    allowed_budget,
    budget_left,
    fraction_text,
    percent_text,
    prorated_fee,
)

#: A mean over many intervals may have a denominator of thousands of digits, which nobody reads.
_READABLE_BITS = 3_000

#: Exact amounts by currency.
Purse = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Ruling:
    """One tenure as it was judged; `ahead` are its minutes that are still to come."""

    tenure: Tenure
    tier: Tier
    evidence: Evidence
    judgement: Judgement
    ahead: int


@dataclass(frozen=True, slots=True)
class Share:
    """Something judged by one tier's promise: the platform or a service, over one tenure."""

    judged: Judged
    terms: Terms
    tier: Tier
    ahead: int

    @property
    def met(self) -> bool | None:
        """Tell whether the promise was kept; None when no minute could be judged."""
        judged = self.judged
        return judged.availability >= self.tier.uptime if judged.counted else None


def platform(rulings: Iterable[Ruling]) -> list[Share]:
    """Return the platform's share of each ruling."""
    return [Share(r.judgement.platform, r.judgement.terms, r.tier, r.ahead) for r in rulings]


def services(rulings: Sequence[Ruling]) -> Iterator[ServiceFigures]:
    """Yield each judged service's figures over all rulings."""
    for service in rulings[0].judgement.services:
        shares = [
            Share(r.judgement.services[service], r.judgement.terms, r.tier, r.ahead)
            for r in rulings
        ]
        watches = [w.since for r in rulings if (w := r.evidence.watches.get(service))]
        yield ServiceFigures(
            service=service.value,
            minutes=minutes(shares),
            availability=percent(availability(shares)),
            availability_fraction=fraction(availability(shares)),
            met=met(shares),
            error_budget=budget(shares),
            watched_since=min(watches, default=None),
        )


def minutes(shares: Sequence[Share]) -> Minutes:
    """Return how the minutes of all shares divide."""
    named = all(one.terms.method in BY_MINUTE for one in shares)
    judged = [one.judged for one in shares]
    return Minutes(
        sum(one.total for one in judged),
        sum(one.excluded for one in judged),
        sum(one.counted for one in judged),
        sum(len(one.failed | one.silent) for one in judged) if named else None,
    )


def availability(shares: Sequence[Share]) -> Fraction | None:
    """Return 1 - lost / counted minutes of all shares; None when no minute counts."""
    counted = sum(one.judged.counted for one in shares)
    return 1 - _lost(shares) / counted if counted else None


def met(shares: Sequence[Share]) -> bool | None:
    """Tell whether every promise was kept; None when no minute could be judged."""
    kept = [one.met for one in shares if one.met is not None]
    return all(kept) if kept else None


def budget(shares: Sequence[Share]) -> Budget:
    """Return the minutes that might be lost by each tier's promise, and what is left."""
    allowed = sum((allowed_budget(s.tier.uptime, s.judged.counted) for s in shares), Fraction(0))
    ahead = sum((allowed_budget(s.tier.uptime, s.ahead) for s in shares), Fraction(0))
    return Budget(
        allowed_minutes=decimal_text(allowed),
        spent_minutes=decimal_text(_lost(shares)),
        remaining_ratio=decimal_text(budget_left(allowed, _lost(shares))),
        allowed_by_the_end=decimal_text(allowed + ahead),
    )


def fee_of(tenure: Tenure) -> Purse:
    """Return what a tenure costs by its monthly fees, prorated by time."""
    purse: Purse = defaultdict(Fraction)
    for span, fee in tenure.fees:
        if fee is not None:
            purse[fee.currency] += prorated_fee(Fraction(fee.amount), span)
    return purse


def amounts(purse: Purse) -> tuple[Amount, ...]:
    """Return exact amounts as they are told."""
    return tuple(
        Amount(currency, str(_cents(exact, currency)), fraction_text(exact))
        for currency, exact in sorted(purse.items())
    )


def added(purses: Iterable[Purse]) -> Purse:
    """Return the sum of some amounts, by currency."""
    total: Purse = defaultdict(Fraction)
    for purse in purses:
        for currency, exact in purse.items():
            total[currency] += exact
    return total


def decimal_text(figure: Fraction) -> str:
    """Return a figure as a decimal number, cut off after 12 digits.

    >>> decimal_text(Fraction("4.32")), decimal_text(Fraction(-1, 3)), decimal_text(Fraction(2))
    ('4.32', '-0.333333333333', '2')
    """
    return percent_text(figure / 100).removesuffix("%")


def percent(share: Fraction | None) -> str | None:
    """Return a share as a percentage, None of nothing."""
    return None if share is None else percent_text(share)


def fraction(share: Fraction | None) -> str | None:
    """Return a share as "n/d", None of nothing and of what nobody could read."""
    readable = share is not None and share.denominator.bit_length() < _READABLE_BITS
    return fraction_text(share) if share is not None and readable else None


def _lost(shares: Sequence[Share]) -> Fraction:
    return sum((one.judged.lost for one in shares), Fraction(0))


def _cents(exact: Fraction, currency: str) -> Decimal:
    """Round once, ties to even: Fraction's own rounding is exact, Decimal's division is not."""
    return Money(Decimal(round(exact * 100)).scaleb(-2), currency).rounded().amount
