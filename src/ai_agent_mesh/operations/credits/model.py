"""A month that was closed: what it was judged by, what is owed, and what was booked for it."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ai_agent_mesh.kernel.spans import Span


class Booking(msgspec.Struct, frozen=True):
    """An amount booked to a tenant's credit, in whole cents; negative where too much was booked."""

    currency: str
    amount: Decimal
    #: What is owed for the span in all, exactly, as "n/d".
    owed: str


class Ruled(msgspec.Struct, frozen=True, kw_only=True):
    """How one span on a tier came out. Shares are percentages as text, exact to 12 digits."""

    since: datetime
    until: datetime
    tier: str
    objective: str
    availability: str | None
    availability_fraction: str | None
    #: Percent of the fee; null on a tier without credits.
    credit_percent: str | None


class Counted(msgspec.Struct, frozen=True):
    """The numbered ledger entries of one tenant that the figures rest on."""

    tenant: str
    first_number: int | None
    last_number: int | None
    entries: int


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a tenant as it was closed; the first one, or a later one that corrects it."""

    id: str
    tenant: str
    #: Null when an operator closed a span of their own choosing.
    month: str | None
    since: datetime
    until: datetime
    #: 0 closes; each later one corrects those before it.
    ordinal: int
    closed_at: datetime
    closed_by: str
    parts: tuple[Ruled, ...]
    #: What this closing adds to what was booked before; empty when nothing is owed or nothing new.
    booked: tuple[Booking, ...]
    #: SHA-256 of the statement's figures: JSON, keys sorted, without the moment of computing.
    statement: str
    playbook: str
    ledger: tuple[Counted, ...]
    #: The ledger entry of the tenant that books it.
    entry: str

    @property
    def span(self) -> Span:
        """Return what was closed."""
        return Span(self.since, self.until)
