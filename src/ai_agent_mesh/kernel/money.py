"""Exact amounts of money in a currency."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, kept exactly as it was computed."""

    amount: Decimal
    currency: str = "USD"

    def rounded(self) -> "Money":
        """Return it in whole cents, ties to even.

        >>> Money(Decimal("1.005")).rounded()
        Money(amount=Decimal('1.00'), currency='USD')
        """
        cents = self.amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
        return Money(cents, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
