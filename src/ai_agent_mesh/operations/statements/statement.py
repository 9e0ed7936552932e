"""The monthly statement of one tenant: what was promised, what was kept, and by which evidence."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from ai_agent_mesh.evidence import Moment
from ai_agent_mesh.operations.statements.incidents import IncidentName, Said
from ai_agent_mesh.operations.statements.planning import MaintenanceFigures, PlannedWork

#: Decimal text without an exponent, which could ask for more digits than there is memory.
_Plain = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$")]


class Minutes(msgspec.Struct, frozen=True):
    """How the minutes divide; unavailable ones are part of the counted."""

    total: int
    excluded: int
    counted: int
    #: Null by a method that counts requests: it names no minutes.
    unavailable: int | None


class Budget(msgspec.Struct, frozen=True):
    """How many minutes might be lost, and how many were. Decimal text, cut off after 12 digits."""

    allowed_minutes: str
    spent_minutes: str
    #: What is left as a share of what was allowed; negative when overspent.
    remaining_ratio: str
    #: What will have been allowed when the month (or the span) is over.
    allowed_by_the_end: str


class ServiceFigures(msgspec.Struct, frozen=True):
    """One service judged alone by the tier's objective. Availability is exact: a percentage
    (12 digits) and "n/d", which is null when it is too long to be read."""

    service: str
    minutes: Minutes
    availability: str | None
    availability_fraction: str | None
    met: bool | None
    error_budget: Budget
    #: Since when the probe watches it; null when it never did.
    watched_since: Moment | None


class Amount(msgspec.Struct, frozen=True):
    """An amount of money: rounded once to whole cents, ties to even; and exactly, as "n/d"."""

    currency: str
    amount: str
    exact: str


class Fee(msgspec.Struct, frozen=True):
    """What the contract says is paid a month, over a span."""

    since: Moment
    until: Moment
    amount: _Plain
    currency: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a span was worth: all its minutes, and each service alone.

    Over several tiers minutes and budgets add up, availability is 1 - lost / counted minutes, and
    a promise is kept when it was kept on every tier.
    """

    minutes: Minutes
    availability: str | None
    availability_fraction: str | None
    #: Null when no minute could be judged.
    met: bool | None
    error_budget: Budget
    services: tuple[ServiceFigures, ...]


class Part(Figures, frozen=True, kw_only=True):
    """An unbroken span on one tier, judged by that tier's promise alone."""

    since: Moment
    until: Moment
    tier: str
    title: str
    method: str
    method_in_words: str
    objective: str
    #: Percent of the fee; null on a tier without credits, or when nothing was judged.
    credit_percent: str | None
    #: The monthly fees that were agreed, and what they come to over the span by time.
    monthly_fees: tuple[Fee, ...]
    fee: tuple[Amount, ...]
    #: `credit_percent` of `fee`; one amount a currency, none where no fee is agreed.
    credit: tuple[Amount, ...]


class OutageFigures(msgspec.Struct, frozen=True):
    """An unbroken span of unavailable minutes."""

    since: Moment
    until: Moment
    minutes: int
    services: tuple[str, ...]
    #: `errors` (too many calls failed by our fault), `silence` (the probe got nothing recorded).
    causes: tuple[str, ...]
    #: Those that hurt these services meanwhile; absent as the statement's `incidents` are.
    incidents: tuple[IncidentName, ...] | msgspec.UnsetType = msgspec.UNSET


class AmendmentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A person's correction of a call in the judged span: whose fault it was, and is."""

    tenant: str
    #: The corrected call.
    entry: str
    at: Moment
    was: str
    fault: str
    reason: str
    amended_by: str
    amended_at: Moment
    #: The ledger entry that corrects it, and its number in that tenant's ledger.
    amendment: str
    number: int


class LatencyFigures(msgspec.Struct, frozen=True):
    """One percentile of one category: how many calls stayed strictly under the threshold."""

    category: str
    percentile: str
    #: Whole where it can be.
    threshold_ms: int | float
    valid: int
    within: int
    #: The exact share as a percentage (12 digits); null without calls.
    attainment: str | None
    met: bool


class CallFigures(msgspec.Struct, frozen=True):
    """The calls of one service and category."""

    service: str
    category: str
    calls: int
    valid: int
    bad: int


class LedgerRange(msgspec.Struct, frozen=True):
    """Which numbered entries of a tenant's ledger the figures rest on."""

    tenant: str
    first_number: int | None
    last_number: int | None
    entries: int


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Which agreement it was judged by, in the words of its title page."""

    product: str
    company: str
    version: str
    #: The day, as 2026-11-30.
    updated: str
    owner: str


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole asked span would come to; the credit percent is that of the last part."""

    availability: str
    met: bool
    credit_percent: str | None
    credit: tuple[Amount, ...]


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """Where a span that is not over is heading, told apart from what was measured.

    The minutes to come are all counted, on the present tier and at its present fee; either none of
    them is lost, or as large a share of them as was lost since that tier began.
    """

    until: Moment
    minutes_ahead: int
    if_nothing_more_fails: Outlook
    if_it_goes_on: Outlook


class Signature(msgspec.Struct, frozen=True):
    """An Ed25519 signature over the statement's canonical bytes, and the key that made it."""

    key_id: str
    value: bytes
    algorithm: str = "Ed25519"


class Statement(Figures, frozen=True, kw_only=True):
    """Everything that a statement says; its own figures are those of all parts together."""

    tenant: str
    tenant_name: str
    #: Null when an explicit span was judged instead of a calendar month.
    month: str | None
    #: The whole minutes that were judged, within what was asked for.
    since: Moment
    until: Moment
    asked_since: Moment
    asked_until: Moment
    #: The month or the span is not over: these are the figures so far.
    so_far: bool
    computed_at: Moment
    #: These five are null where the parts differ.
    tier: str | None
    method: str | None
    method_in_words: str | None
    objective: str | None
    credit_percent: str | None
    #: The sum of the parts' credits, one amount a currency.
    credit: tuple[Amount, ...]
    #: One for each span on a tier; nearly always one.
    parts: tuple[Part, ...]
    unavailable: tuple[OutageFigures, ...]
    maintenance: tuple[MaintenanceFigures, ...]
    amendments: tuple[AmendmentFigures, ...]
    latency: tuple[LatencyFigures, ...]
    calls: tuple[CallFigures, ...]
    playbook: str
    ledger: tuple[LedgerRange, ...]
    #: These four are absent from statements that were signed before there were such members.
    agreement: Agreement | msgspec.UnsetType = msgspec.UNSET
    #: Null once the asked span is over, and while nothing was judged.
    projected: Projection | msgspec.UnsetType | None = msgspec.UNSET
    planned_work: PlannedWork | msgspec.UnsetType = msgspec.UNSET
    #: What operators had said by then of incidents that hurt within the span, the earliest first.
    incidents: Said = msgspec.UNSET
    signature: Signature | msgspec.UnsetType = msgspec.UNSET


#: What may differ between two computations of the same figures.
CIRCUMSTANCES = frozenset({"computed_at", "signature"})
#: What statements did not say from the first.
ADDED = ("agreement", "incidents", "planned_work", "projected")


def first_difference(one: Statement, other: Statement) -> tuple[str, object, object] | None:
    """Return the place of the first figure that differs and both its values; null if none does.

    The place is dotted, such as `services.2.minutes.unavailable`.
    """
    left, right = (
        {key: value for key, value in msgspec.to_builtins(each).items() if key not in CIRCUMSTANCES}
        for each in (one, other)
    )
    return next(differences(left, right), None)


#: Decoded text has lists where a statement has tuples.
_LISTS = (list, tuple)


def differences(
    left: object, right: object, place: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield the places where two trees differ, and both values, in the order of the first."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = dict.fromkeys((*left, *right))
        pairs = [(key, left.get(key), right.get(key)) for key in keys]
    elif isinstance(left, _LISTS) and isinstance(right, _LISTS) and len(left) == len(right):
        pairs = [(str(at), a, b) for at, (a, b) in enumerate(zip(left, right, strict=True))]
    else:
        if left != right:
            yield place, left, right
        return
    for key, a, b in pairs:
        yield from differences(a, b, f"{place}.{key}" if place else key)
