"""What a closing books: the difference between what is owed and what was booked before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import msgspec

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.credits.model import Booking, Closing
from ai_agent_mesh.operations.statements import CIRCUMSTANCES, Statement
from ai_agent_mesh.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Promised:
    """A tenant's time on a tier."""

    tenant: str
    tier: str
    span: Span


@dataclass(frozen=True, slots=True)
class Seen:
    """The last closing of a tenant's month, and what the evidence added up to then."""

    tenant: str
    month: Month
    evidence: str


def paying(agreed: Iterable[Playbook]) -> list[str]:
    """Return the tiers that pay credits by any of some playbooks."""
    return sorted({name for one in agreed for name, tier in one.tiers.items() if tier.ladder})


def closable(
    promised: Iterable[Promised], agreed: Mapping[Month, Playbook]
) -> list[tuple[str, Month]]:
    """Return the tenants and months in which credits were promised, in order.

    `agreed` has the months that are over, each with the playbook that judges it.

    >>> from datetime import UTC
    >>> from ai_agent_mesh.playbook import default
    >>> at = lambda month, day: datetime(2026, month, day, tzinfo=UTC)
    >>> one = Promised("oak", "enterprise", Span(at(9, 15), at(11, 2)))
    >>> over = dict.fromkeys((Month(2026, 9), Month(2026, 10)), default())
    >>> [str(month) for _, month in closable([one], over)]
    ['2026-09', '2026-10']
    """
    found = {
        (one.tenant, month)
        for one in promised
        for month in one.span.months
        if month in agreed and agreed[month].tiers[one.tier].ladder
    }
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def still_corrected(month: Month, now: datetime, within: timedelta) -> bool:
    """Tell whether a closed month is still looked at again."""
    return now < month.until + within


def differences(
    owed: Mapping[str, tuple[Decimal, str]], booked: Mapping[str, Decimal]
) -> tuple[Booking, ...]:
    """Return what is to be booked so that the sum is what is owed, by currency.

    `owed` is the amount in whole cents and the exact one as "n/d". What was rounded is the sum
    that is owed, never a difference, so corrections add up to the cent.

    >>> differences({"USD": (Decimal("10.00"), "10/1")}, {"USD": Decimal("12.50")})
    (Booking(currency='USD', amount=Decimal('-2.50'), owed='10/1'),)
    >>> differences({"USD": (Decimal("0.00"), "0/1")}, {})
    ()
    """
    found = []
    for currency in sorted(owed.keys() | booked.keys()):
        amount, exact = owed.get(currency, (Decimal(0), "0/1"))
        difference = amount - booked.get(currency, Decimal(0))
        if difference:
            found.append(Booking(currency, difference, exact))
    return tuple(found)


def owed_by(statement: Statement) -> Mapping[str, tuple[Decimal, str]]:
    """Return what a statement says is owed, by currency: in whole cents, and exactly."""
    return {one.currency: (Decimal(one.amount), one.exact) for one in statement.credit}


def booked_in(closings: Iterable[Closing]) -> dict[str, Decimal]:
    """Return the sum of what closings booked, by currency."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for closing in closings:
        for booking in closing.booked:
            total[booking.currency] += booking.amount
    return dict(total)


def figures_digest(statement: Statement) -> str:
    """Return SHA-256, in hexadecimal, of all that a statement says but when it was computed.

    How far the acts about planned work had come is of that moment, too.
    """
    said = msgspec.to_builtins(msgspec.structs.replace(statement, planned_work=msgspec.UNSET))
    figures = {key: value for key, value in said.items() if key not in CIRCUMSTANCES}
    return sha256(msgspec.json.encode(figures, order="sorted")).hexdigest()
