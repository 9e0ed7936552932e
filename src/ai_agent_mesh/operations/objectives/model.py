"""What objectives are judged by, and what a judgement says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla import Category, Service


@dataclass(frozen=True, slots=True)
class Calls:
    """How many calls of one service and category there were, and how they went."""

    service: Service
    category: Category
    calls: int
    valid: int
    bad: int
    #: Calls that latency is judged by, and how many of them stayed strictly under each target.
    timed: int
    within_p50: int
    within_p95: int
    within_p99: int


@dataclass(frozen=True, slots=True)
class Marred:
    """One minute of one service with at least one bad call. No other minute can be unavailable
    by its calls, so only these travel from the database."""

    minute: datetime
    service: Service
    valid: int
    bad: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Since when the probe watches a service, and the spans of whole minutes it said nothing in."""

    since: datetime
    silent: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one span of one tenant is judged by; whole minutes only."""

    span: Span
    marred: tuple[Marred, ...]
    watches: Mapping[Service, Watch]
    calls: tuple[Calls, ...]


@dataclass(frozen=True, slots=True)
class EntryRange:
    """The numbered ledger entries of one tenant that lie in a span; null when there are none."""

    first_number: int | None
    last_number: int | None
    entries: int


@dataclass(frozen=True, slots=True)
class Outage:
    """An unbroken span of unavailable minutes, with the same services down and for one cause."""

    span: Span
    services: tuple[Service, ...]
    #: `errors`, `silence`, or both.
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Minutes:
    """How the minutes of a span divide."""

    total: int
    excluded: int
    counted: int
    unavailable: int

    @property
    def availability(self) -> Fraction | None:
        """Return the available share of the counted minutes; null when none is counted."""
        return 1 - Fraction(self.unavailable, self.counted) if self.counted else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Availability of each service and of the platform: the union of unavailable minutes."""

    span: Span
    platform: Minutes
    services: Mapping[Service, Minutes]
    outages: tuple[Outage, ...]
