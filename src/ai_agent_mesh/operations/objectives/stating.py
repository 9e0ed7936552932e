"""How a judgement is stated: exact figures as text, the latency table, budget and credit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.maintenance import (
    excluded_spans,
    is_late,
    is_outside_window,
    notice_asked,
)
from ai_agent_mesh.operations.objectives.model import Calls, Evidence
from ai_agent_mesh.operations.objectives.rules import judge, outages, terms_of
from ai_agent_mesh.operations.objectives.statement import (
    Budget,
    CallFigures,
    LatencyFigures,
    LedgerRange,
    MaintenanceFigures,
    OutageFigures,
    ServiceFigures,
    Statement,
)
from ai_agent_mesh.operations.objectives.statement import Minutes as MinuteFigures
from ai_agent_mesh.operations.objectives.words import in_words
from ai_agent_mesh.playbook import Playbook, Tier
from ai_agent_mesh.sla import (
    BY_MINUTE,
    PERCENTILES,
    Category,
    Judged,
    Judgement,
    Terms,
    allowed_budget,
    attainment,
    budget_left,
    credit_percent,
    fraction_text,
    percent_text,
    started_in,
)

_MILLISECOND = timedelta(milliseconds=1)
#: A mean over many intervals may have a denominator of thousands of digits, which nobody reads.
_READABLE_BITS = 3_000


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose statement it is, and over what."""

    tenant: str
    name: str
    tier: str
    #: Null when `asked` is an explicit span.
    month: str | None
    asked: Span


def state(
    subject: Subject,
    evidence: Evidence,
    ledger: Sequence[LedgerRange],
    playbook: Playbook,
    now: datetime,
) -> Statement:
    """Return the statement of a span that was judged."""
    tier, terms = playbook.tiers[subject.tier], terms_of(subject.tier, playbook)
    judgement = judge(evidence, terms, notice_asked(playbook))
    availability = _availability(judgement.platform)
    ahead = _ahead(evidence.span, subject.asked)
    return Statement(
        tenant=subject.tenant,
        tenant_name=subject.name,
        month=subject.month,
        since=evidence.span.since,
        until=evidence.span.until,
        asked_since=subject.asked.since,
        asked_until=subject.asked.until,
        so_far=evidence.span.until < subject.asked.until,
        computed_at=now,
        tier=subject.tier,
        method=terms.method.value,
        method_in_words=in_words(terms),
        minutes=_minutes(judgement.platform, terms),
        availability=_percent(availability),
        availability_fraction=_fraction(availability),
        objective=percent_text(tier.uptime),
        met=_met(availability, tier),
        credit_percent=_credit(availability, tier),
        error_budget=budget(judgement.platform, tier, ahead),
        services=tuple(_services(judgement, evidence, tier, ahead)),
        unavailable=tuple(_outages(judgement)),
        maintenance=tuple(_maintenance(evidence, playbook)),
        latency=tuple(_latency(evidence.calls, playbook)),
        calls=tuple(
            CallFigures(c.service, c.category, c.calls, c.valid, c.bad) for c in evidence.calls
        ),
        playbook=playbook.digest,
        ledger=tuple(ledger),
    )


def budget(judged: Judged, tier: Tier, ahead: int) -> Budget:
    """Return the minutes that might be lost and what is left; `ahead` are the minutes to come."""
    allowed = allowed_budget(tier.uptime, judged.counted)
    by_the_end = allowed_budget(tier.uptime, judged.counted + ahead)
    return Budget(
        allowed_minutes=decimal_text(allowed),
        spent_minutes=decimal_text(judged.lost),
        remaining_ratio=decimal_text(budget_left(allowed, judged.lost)),
        allowed_by_the_end=decimal_text(by_the_end),
    )


def decimal_text(figure: Fraction) -> str:
    """Return a figure as a decimal number, cut off after 12 digits.

    >>> decimal_text(Fraction("4.32")), decimal_text(Fraction(-1, 3)), decimal_text(Fraction(2))
    ('4.32', '-0.333333333333', '2')
    """
    return percent_text(figure / 100).removesuffix("%")


def _ahead(judged: Span, asked: Span) -> int:
    return max(timedelta(0), asked.until - judged.until) // MINUTE


def _minutes(judged: Judged, terms: Terms) -> MinuteFigures:
    named = len(judged.failed | judged.silent) if terms.method in BY_MINUTE else None
    return MinuteFigures(judged.total, judged.excluded, judged.counted, named)


def _availability(judged: Judged) -> Fraction | None:
    return judged.availability if judged.counted else None


def _met(availability: Fraction | None, tier: Tier) -> bool | None:
    return None if availability is None else availability >= tier.uptime


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else percent_text(share)


def _fraction(share: Fraction | None) -> str | None:
    readable = share is not None and share.denominator.bit_length() < _READABLE_BITS
    return fraction_text(share) if share is not None and readable else None


def _credit(availability: Fraction | None, tier: Tier) -> str | None:
    if availability is None or not tier.ladder:
        return None
    return decimal_text(credit_percent(availability, tier.ladder) * 100)


def _services(
    judgement: Judgement, evidence: Evidence, tier: Tier, ahead: int
) -> Iterator[ServiceFigures]:
    for service, judged in judgement.services.items():
        availability = _availability(judged)
        watch = evidence.watches.get(service)
        yield ServiceFigures(
            service=service.value,
            minutes=_minutes(judged, judgement.terms),
            availability=_percent(availability),
            availability_fraction=_fraction(availability),
            met=_met(availability, tier),
            error_budget=budget(judged, tier, ahead),
            watched_since=watch.since if watch else None,
        )


def _outages(judgement: Judgement) -> Iterator[OutageFigures]:
    for one in outages(judgement):
        yield OutageFigures(
            since=one.span.since,
            until=one.span.until,
            minutes=one.span.length // MINUTE,
            services=tuple(service.value for service in one.services),
            causes=one.causes,
        )


def _maintenance(evidence: Evidence, playbook: Playbook) -> Iterator[MaintenanceFigures]:
    judged = started_in(evidence.span)
    for work in evidence.works:
        off = work.cancelled
        yield MaintenanceFigures(
            id=work.id,
            title=work.title,
            since=work.span.since,
            until=work.span.until,
            services=tuple(service.value for service in work.named),
            announced_at=work.announced.at,
            entry=work.announced.entry,
            number=work.announced.number,
            cancelled_at=off.at if off else None,
            cancel_entry=off.entry if off else None,
            cancel_number=off.number if off else None,
            late=is_late(work, playbook),
            outside_window=is_outside_window(work, playbook),
            excluded_minutes=sum(
                len(range(max(one.start, judged.start), min(one.stop, judged.stop)))
                for one in excluded_spans([work], playbook)
            ),
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
                threshold_ms=threshold / _MILLISECOND,
                valid=timed,
                within=stayed,
                attainment=_percent(reached.share),
                met=reached.met,
            )
