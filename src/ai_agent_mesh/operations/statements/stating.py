"""How judgements are stated: the whole, each span on a tier with its credit, the latency table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

from msgspec import UNSET
from msgspec.structs import asdict

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.planned import notice_asked
from ai_agent_mesh.operations.statements import figuring
from ai_agent_mesh.operations.statements.figuring import Purse, Ruling
from ai_agent_mesh.operations.statements.incidents import Said, behind
from ai_agent_mesh.operations.statements.model import Calls, Correction, Evidence, Planned, Tenure
from ai_agent_mesh.operations.statements.planning import maintenance, stood
from ai_agent_mesh.operations.statements.projecting import projected
from ai_agent_mesh.operations.statements.rules import judge, outages, terms_of
from ai_agent_mesh.operations.statements.statement import (
    Agreement,
    AmendmentFigures,
    CallFigures,
    Fee,
    Figures,
    LatencyFigures,
    LedgerRange,
    OutageFigures,
    Part,
    Statement,
)
from ai_agent_mesh.operations.statements.words import in_words
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import (
    PERCENTILES,
    Category,
    Service,
    attainment,
    credit_percent,
    percent_text,
)

_MILLISECOND = timedelta(milliseconds=1)
_SUMS = ("calls", "valid", "bad", "timed", "within_p50", "within_p95", "within_p99")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose statement it is, and over what."""

    tenant: str
    name: str
    #: Null when `asked` is an explicit span.
    month: str | None
    asked: Span


def state(
    subject: Subject,
    evidence: Sequence[tuple[Tenure, Evidence]],
    ledger: Sequence[LedgerRange],
    playbook: Playbook,
    now: datetime,
    corrections: Sequence[Correction] = (),
    planned: Planned | None = None,
    incidents: Said = UNSET,
) -> Statement:
    """Return the statement of adjoining tenures, each judged by its own tier; at least one.

    Without `planned` it says nothing of the acts about planned work, nor of who was told;
    and without `incidents` nothing of incidents.
    """
    span = Span(evidence[0][0].span.since, evidence[-1][0].span.until)
    ahead = max(timedelta(0), subject.asked.until - span.until) // MINUTE
    rulings = [
        _ruling(tenure, found, playbook, ahead if tenure.span.until == span.until else 0)
        for tenure, found in evidence
    ]
    parts = [_part(one) for one in rulings]
    calls = _pooled(found.calls for _, found in evidence)
    return Statement(
        tenant=subject.tenant,
        tenant_name=subject.name,
        month=subject.month,
        since=span.since,
        until=span.until,
        asked_since=subject.asked.since,
        asked_until=subject.asked.until,
        so_far=span.until < subject.asked.until,
        computed_at=now,
        **asdict(_figures(rulings)),
        tier=_same(part.tier for part in parts),
        method=_same(part.method for part in parts),
        method_in_words=_same(part.method_in_words for part in parts),
        objective=_same(part.objective for part in parts),
        credit_percent=_same(part.credit_percent for part in parts),
        credit=figuring.amounts(figuring.added(map(_credit, rulings))),
        parts=tuple(parts),
        unavailable=tuple(one for ruling in rulings for one in _outages(ruling, incidents)),
        maintenance=tuple(
            maintenance(work, span, playbook, planned)
            for work in dict.fromkeys(work for _, found in evidence for work in found.works)
        ),
        amendments=tuple(map(_amendment, corrections)),
        latency=tuple(_latency(calls, playbook)),
        calls=tuple(CallFigures(c.service, c.category, c.calls, c.valid, c.bad) for c in calls),
        playbook=playbook.digest,
        ledger=tuple(ledger),
        agreement=_agreement(playbook),
        planned_work=stood(planned),
        incidents=incidents,
        projected=projected(rulings, subject.asked, [_credit(one) for one in rulings[:-1]]),
    )


def _agreement(playbook: Playbook) -> Agreement:
    document = playbook.document
    return Agreement(
        product=document.product,
        company=document.company,
        version=document.version,
        updated=document.updated.isoformat(),
        owner=document.owner,
    )


def _ruling(tenure: Tenure, evidence: Evidence, playbook: Playbook, ahead: int) -> Ruling:
    terms = terms_of(tenure.tier, playbook)
    tier = playbook.tiers[tenure.tier]
    return Ruling(tenure, tier, evidence, judge(evidence, terms, notice_asked(playbook)), ahead)


def _figures(rulings: Sequence[Ruling]) -> Figures:
    platform = figuring.platform(rulings)
    share = figuring.availability(platform)
    return Figures(
        minutes=figuring.minutes(platform),
        availability=figuring.percent(share),
        availability_fraction=figuring.fraction(share),
        met=figuring.met(platform),
        error_budget=figuring.budget(platform),
        services=tuple(figuring.services(rulings)),
    )


def _part(one: Ruling) -> Part:
    tenure, terms = one.tenure, one.judgement.terms
    due = _credit_share(one)
    return Part(
        since=tenure.span.since,
        until=tenure.span.until,
        tier=tenure.tier,
        title=one.tier.title,
        method=terms.method.value,
        method_in_words=in_words(terms),
        objective=percent_text(one.tier.uptime),
        **asdict(_figures([one])),
        credit_percent=None if due is None else figuring.decimal_text(due * 100),
        monthly_fees=tuple(
            Fee(span.since, span.until, f"{fee.amount:f}", fee.currency)
            for span, fee in tenure.fees
            if fee is not None
        ),
        fee=figuring.amounts(figuring.fee_of(tenure)),
        credit=figuring.amounts(_credit(one)),
    )


def _credit_share(one: Ruling) -> Fraction | None:
    judged = one.judgement.platform
    if not judged.counted or not one.tier.ladder:
        return None
    return credit_percent(judged.availability, one.tier.ladder)


def _credit(one: Ruling) -> Purse:
    """Return the exact credit: its share of the prorated fee, rounded nowhere before it is told."""
    due = _credit_share(one)
    fees = figuring.fee_of(one.tenure)
    return {} if due is None else {currency: due * fee for currency, fee in fees.items()}


def _same(values: Iterable[T]) -> T | None:
    """Return the value that all are, or None."""
    first, *others = values
    return first if all(other == first for other in others) else None


def _pooled(parts: Iterable[Sequence[Calls]]) -> tuple[Calls, ...]:
    """Return the calls of all parts, added up by service and category."""
    sums: dict[tuple[Service, Category], list[int]] = {}
    for calls in parts:
        for one in calls:
            row = sums.setdefault((one.service, one.category), [0] * len(_SUMS))
            for place, name in enumerate(_SUMS):
                row[place] += getattr(one, name)
    return tuple(Calls(*key, *row) for key, row in sorted(sums.items()))


def _outages(ruling: Ruling, incidents: Said) -> Iterator[OutageFigures]:
    for one in outages(ruling.judgement):
        yield OutageFigures(
            since=one.span.since,
            until=one.span.until,
            minutes=one.span.length // MINUTE,
            services=tuple(service.value for service in one.services),
            causes=one.causes,
            incidents=behind(one, incidents),
        )


def _amendment(one: Correction) -> AmendmentFigures:
    amendment, made = one.amendment, one.made
    return AmendmentFigures(
        tenant=amendment.tenant,
        entry=amendment.entry,
        at=amendment.at,
        was=amendment.was.value,
        fault=amendment.fault.value,
        reason=amendment.reason,
        amended_by=made.actor or "",
        amended_at=made.at,
        amendment=made.id,
        number=one.number,
    )


def _latency(calls: Sequence[Calls], playbook: Playbook) -> Iterator[LatencyFigures]:
    for category in Category:
        targets = playbook.latency.get(category)
        if targets is None:
            continue
        parts = [one for one in calls if one.category is category]
        timed = sum(one.timed for one in parts)
        for percentile in PERCENTILES:
            stayed = sum(int(getattr(one, f"within_{percentile}")) for one in parts)
            threshold: timedelta = getattr(targets, percentile)
            reached = attainment(stayed, timed, percentile)
            yield LatencyFigures(
                category=category.value,
                percentile=percentile,
                threshold_ms=_milliseconds(threshold),
                valid=timed,
                within=stayed,
                attainment=figuring.percent(reached.share),
                met=reached.met,
            )


def _milliseconds(length: timedelta) -> int | float:
    whole, rest = divmod(length, _MILLISECOND)
    return length / _MILLISECOND if rest else whole
