"""How a judgement is stated: exact figures as text, the latency table, budget and credit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.objectives.model import Calls, Evidence, Judgement, Minutes
from ai_agent_mesh.operations.objectives.rules import judge
from ai_agent_mesh.operations.objectives.statement import (
    Budget,
    CallFigures,
    LatencyFigures,
    LedgerRange,
    OutageFigures,
    ServiceFigures,
    Statement,
)
from ai_agent_mesh.operations.objectives.statement import Minutes as MinuteFigures
from ai_agent_mesh.playbook import Playbook, Tier
from ai_agent_mesh.sla import (
    PERCENTILES,
    Category,
    Method,
    Service,
    allowed_budget,
    attainment,
    budget_left,
    credit_percent,
    fraction_text,
    percent_text,
)

_MILLISECOND = timedelta(milliseconds=1)


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
    tier = playbook.tiers[subject.tier]
    judgement = judge(evidence, playbook.measurement.terms(tier.method))
    availability = judgement.platform.availability
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
        method=tier.method.value,
        method_in_words=in_words(playbook, tier.method),
        minutes=_minutes(judgement.platform),
        availability=_percent(availability),
        availability_fraction=_fraction(availability),
        objective=percent_text(tier.uptime),
        met=None if availability is None else availability >= tier.uptime,
        credit_percent=_credit(availability, tier),
        error_budget=budget(judgement.platform, tier, _ahead(evidence.span, subject.asked)),
        services=tuple(_services(judgement, evidence)),
        unavailable=tuple(_outages(judgement)),
        latency=tuple(_latency(evidence.calls, playbook)),
        calls=tuple(
            CallFigures(c.service, c.category, c.calls, c.valid, c.bad) for c in evidence.calls
        ),
        playbook=playbook.digest,
        ledger=tuple(ledger),
    )


def in_words(playbook: Playbook, method: Method) -> str:
    """Say how availability is computed."""
    rule = playbook.measurement
    run = "" if rule.consecutive == 1 else f" for {rule.consecutive} minutes in a row or longer"
    least = "1 valid call" if rule.min_requests == 1 else f"{rule.min_requests} valid calls"
    failed = {
        Method.PERIOD: f"it has at least {least} and more than "
        f"{percent_text(rule.error_threshold)} of them failed by the platform's fault{run}",
        Method.ALL_FAIL: "it has valid calls and all of them failed by the platform's fault",
    }[method]
    return (
        f"By minutes. A minute of a service is unavailable when {failed}, or when the probe that "
        "watches the service left no entry in it. The calls are the tenant's own and the probe's. "
        "A call is valid unless the caller asked for what cannot be had or was over their "
        "allowance. The platform is unavailable in every minute in which any service is. "
        "Availability is 1 - unavailable / counted minutes."
    )


def budget(minutes: Minutes, tier: Tier, ahead: int) -> Budget:
    """Return the minutes that might be lost and what is left; `ahead` are the minutes to come."""
    allowed = allowed_budget(tier.uptime, minutes.counted)
    by_the_end = allowed_budget(tier.uptime, minutes.counted + ahead)
    return Budget(
        allowed_minutes=decimal_text(allowed),
        spent_minutes=minutes.unavailable,
        remaining_ratio=decimal_text(budget_left(allowed, Fraction(minutes.unavailable))),
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


def _minutes(minutes: Minutes) -> MinuteFigures:
    return MinuteFigures(minutes.total, minutes.excluded, minutes.counted, minutes.unavailable)


def _percent(share: Fraction | None) -> str | None:
    return None if share is None else percent_text(share)


def _fraction(share: Fraction | None) -> str | None:
    return None if share is None else fraction_text(share)


def _credit(availability: Fraction | None, tier: Tier) -> str | None:
    if availability is None or not tier.ladder:
        return None
    return decimal_text(credit_percent(availability, tier.ladder) * 100)


def _services(judgement: Judgement, evidence: Evidence) -> Iterator[ServiceFigures]:
    for service in Service:
        minutes = judgement.services[service]
        watch = evidence.watches.get(service)
        yield ServiceFigures(
            service=service.value,
            minutes=_minutes(minutes),
            availability=_percent(minutes.availability),
            availability_fraction=_fraction(minutes.availability),
            watched_since=watch.since if watch else None,
        )


def _outages(judgement: Judgement) -> Iterator[OutageFigures]:
    for one in judgement.outages:
        yield OutageFigures(
            since=one.span.since,
            until=one.span.until,
            minutes=one.span.length // MINUTE,
            services=tuple(service.value for service in one.services),
            causes=one.causes,
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
