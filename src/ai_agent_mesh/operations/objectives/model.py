"""What the store tells of the ledger beside the figures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryRange:
    """The numbered ledger entries of one tenant that lie in a span; null when there are none."""

    first_number: int | None
    last_number: int | None
    entries: int
