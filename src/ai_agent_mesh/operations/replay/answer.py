"""The answer to "what was kept, and what would be owed?" over evidence from files."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import MINUTE, Month
from ai_agent_mesh.operations.replay.model import Reading
from ai_agent_mesh.operations.statements import (
    Amount,
    CallFigures,
    Evidence,
    Figures,
    LatencyFigures,
    MaintenanceFigures,
    OutageFigures,
    Statement,
    Subject,
    Tenure,
    clock,
    state,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Denominator, Method

#: Records that end so long before the span are perhaps not all of them.
_TAIL = timedelta(hours=1)


class Read(msgspec.Struct, frozen=True):
    """What was found in the files: `rows` in all, `judged` of them, the rest ignored."""

    files: tuple[str, ...]
    rows: int
    judged: int
    #: The minutes of the first and the last judged row.
    first: datetime | None
    last: datetime | None
    columns_not_read: tuple[str, ...]
    #: Rows of several tenants were judged as one.
    tenants_pooled: bool
    #: `given`, `records` (an exported ledger's own) or `installed`.
    playbook_from: str
    #: `given` or `records`; null where no maintenance touches the span.
    maintenance_from: str | None
    #: Set where the records end long before the judged span does.
    note: str | None


class Answer(Figures, frozen=True, kw_only=True):
    """A statement's figures (`operations/statements`), and what they were computed from."""

    month: str
    #: Null when all rows were judged as one.
    tenant: str | None
    tier: str
    method: str
    denominator: str
    method_in_words: str
    since: datetime
    until: datetime
    objective: str
    #: Percent of the monthly fee; null on a tier without credits, or when nothing was judged.
    credit_percent: str | None
    #: `credit_percent` of the fee; none where no fee was given.
    credit: tuple[Amount, ...]
    unavailable: tuple[OutageFigures, ...]
    maintenance: tuple[MaintenanceFigures, ...]
    #: Empty where the files hold minutes, which know nothing of latency.
    latency: tuple[LatencyFigures, ...]
    calls: tuple[CallFigures, ...]
    #: The digest of the playbook that was judged by, with what the command line changed in it.
    playbook: str
    records: Read
    #: Why rows were left out, and how many.
    ignored: Mapping[str, int]


class Answers(msgspec.Struct, frozen=True):
    """The same evidence by every method."""

    month: str
    tier: str
    denominator: str
    methods: tuple[Answer, ...]


def under(
    playbook: Playbook, tier: str, method: Method | None, denominator: Denominator | None
) -> Playbook:
    """Return the playbook with another method of a tier, and another denominator."""
    terms = playbook.tiers[tier]
    changed = replace(terms, method=method or terms.method)
    measured = playbook.measurement
    return replace(
        playbook,
        tiers={**playbook.tiers, tier: changed},
        measurement=replace(measured, denominator=denominator or measured.denominator),
    )


def stated(
    evidence: Evidence, month: Month, tier: str, playbook: Playbook, fee: Money | None = None
) -> Statement:
    """Return the statement that this evidence comes to on a tier, for somebody without a name."""
    tenure = Tenure(tier, evidence.span, ((evidence.span, fee),))
    subject = Subject("", "", str(month), evidence.span)
    return state(subject, [(tenure, evidence)], (), playbook, evidence.span.until)


def answers(
    evidence: Evidence, reading: Reading, month: Month, tenant: str | None, tier: str,
    playbooks: Sequence[Playbook],
) -> list[Answer]:  # fmt: skip
    """Return what evidence comes to on a tier, by each of some playbooks."""
    return [
        _answer(stated(evidence, month, tier, each), reading, month, tenant, each)
        for each in playbooks
    ]


def _answer(
    one: Statement, reading: Reading, month: Month, tenant: str | None, playbook: Playbook
) -> Answer:
    (part,) = one.parts
    figures = {name: getattr(part, name) for name in Figures.__struct_fields__}
    return Answer(
        **figures,
        month=str(month),
        tenant=tenant,
        tier=part.tier,
        method=part.method,
        denominator=playbook.measurement.denominator.value,
        method_in_words=part.method_in_words,
        since=one.since,
        until=one.until,
        objective=part.objective,
        credit_percent=part.credit_percent,
        credit=part.credit,
        unavailable=one.unavailable,
        maintenance=one.maintenance,
        latency=one.latency if one.calls else (),
        calls=one.calls,
        playbook=one.playbook,
        records=Read(
            reading.files, reading.rows, reading.judged, reading.first, reading.last,
            reading.unread, reading.pooled, reading.playbook_from, reading.maintenance_from,
            _note(one, reading.last),
        ),
        ignored=reading.ignored,
    )  # fmt: skip


def _note(one: Statement, last: datetime | None) -> str | None:
    """Say what the minutes after the last record count as, where they are many."""
    if last is None or one.until - last <= _TAIL:
        return None
    minutes = (one.until - last) // MINUTE - 1
    watched = [each.service for each in one.services if each.watched_since]
    counted = f"; for {', '.join(watched)}, which the probe watches, as unavailable"
    return (
        f"The last {minutes} minutes of the span, after {clock(last)}, have no record and "
        f"count as available{counted if watched else ''}. If the records were cut off there, "
        "--until ends the span."
    )
