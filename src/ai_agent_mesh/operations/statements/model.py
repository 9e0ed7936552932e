"""What objectives are judged by, and what a judgement says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ai_agent_mesh.evidence import PROBE_TENANT, Amendment, Entry
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import Link, Maintenance, Told
from ai_agent_mesh.sla import Category, MinuteCount, Service

PROBE = PROBE_TENANT


@dataclass(frozen=True, slots=True)
class Term:
    """What the contract said from a moment on: a tier, and where one was agreed a fee."""

    since: datetime
    tier: str
    monthly_fee: Money | None = None


@dataclass(frozen=True, slots=True)
class Tenure:
    """An unbroken span of whole minutes on one tier; the fee may have changed within."""

    tier: str
    span: Span
    #: Adjoining spans of `span`, each with the fee that was agreed for it.
    fees: tuple[tuple[Span, Money | None], ...]


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
class Watch:
    """Since when the probe watches a service, and the spans of whole minutes it said nothing in."""

    since: datetime
    silent: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one span of one tenant is judged by; whole minutes only."""

    span: Span
    #: Every minute with a bad call, and others that the method needs singly: few of a month's.
    minutes: tuple[MinuteCount, ...]
    watches: Mapping[Service, Watch]
    #: The sums over the span; empty where only minutes are judged.
    calls: tuple[Calls, ...]
    #: Announced maintenance that touches the span, whatever it is worth.
    works: tuple[Maintenance, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's correction of a call, as the ledger has it."""

    #: Its own number in the ledger of the tenant whose call it corrects.
    number: int
    made: Entry
    amendment: Amendment

    @classmethod
    def read(cls, number: int, made: Entry) -> "Correction":
        """Return what an entry of the kind `amendment` corrects; EntryUnreadable where nothing."""
        return cls(number, made, Amendment.read(made))


@dataclass(frozen=True, slots=True)
class Planned:
    """What is known of planned work beside the work itself: where its acts stand, who was told."""

    link: Link
    told: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Outage:
    """An unbroken span of unavailable minutes, with the same services down and for one cause."""

    span: Span
    services: tuple[Service, ...]
    #: `errors`, `silence`, or both.
    causes: tuple[str, ...]
