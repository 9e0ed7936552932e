"""How evidence becomes a judgement, and a judgement a statement."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.kernel.spans import MINUTE, Span, minute_of, whole_minutes
from ai_agent_mesh.operations.objectives.minutes import count, merged, within, without
from ai_agent_mesh.operations.objectives.model import (
    Evidence,
    Judgement,
    Minutes,
    Outage,
    Watch,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import (
    Method,
    MinuteCount,
    Service,
    Terms,
    availability,
    minute_number,
    spans_of,
)

ERRORS = "errors"
SILENCE = "silence"

#: The methods that the roll-ups are read for: only minutes with bad calls travel.
BY_MINUTE = frozenset({Method.PERIOD, Method.ALL_FAIL})


class MethodMissing(Invalid):
    """Statements by the method {method} cannot be computed yet; use period or all-fail."""


def settled_until(now: datetime, playbook: Playbook) -> datetime:
    """Return the end of the last minute that can be judged.

    A minute's evidence may still be on its way to the ledger for as long as the probe's interval.
    """
    return minute_of(now - playbook.measurement.probe.interval)


def judged_span(asked: Span, began: datetime, settled: datetime) -> Span:
    """Return the whole minutes of a span since the tenant began and up to the settled ones.

    >>> from datetime import UTC
    >>> at = lambda day, minute=0, second=0: datetime(2026, 11, day, 0, minute, second, tzinfo=UTC)
    >>> judged_span(Span(at(1), at(3)), began=at(2, 0, 30), settled=at(2, 5)).since.minute
    1
    """
    since = max(asked.since, began)
    return whole_minutes(Span(since, max(since, min(asked.until, settled))))


def joined(before: Evidence, after: Evidence) -> Evidence:
    """Return the evidence of two adjoining spans as one; calls are not summed up, but kept."""
    watches = {
        service: Watch(min(w.since for w in both), merged(s for w in both for s in w.silent))
        for service in Service
        if (both := [e.watches[service] for e in (before, after) if service in e.watches])
    }
    return Evidence(
        Span(before.span.since, after.span.until),
        before.marred + after.marred,
        watches,
        before.calls + after.calls,
    )


def unavailable_spans(evidence: Evidence, terms: Terms) -> Mapping[Service, tuple[Span, ...]]:
    """Return each service's unavailable minutes, for whatever cause."""
    causes = _causes(evidence, terms, ())
    return {service: merged(span for _, span in causes[service]) for service in Service}


def judge(evidence: Evidence, terms: Terms, maintenance: Sequence[Span] = ()) -> Judgement:
    """Return the availability of each service and of the platform.

    A minute is unavailable when its calls say so by the method of the terms, or when the probe
    that watches the service left no entry in it; for the platform, when it is for any service.
    `maintenance` are spans of whole minutes that count neither way.

    Raises:
        MethodMissing: the method does not judge minute by minute.
    """
    excluded = within(maintenance, evidence.span)
    causes = _causes(evidence, terms, excluded)
    total, out = evidence.span.length // MINUTE, count(excluded)

    def minutes(spans: Iterable[Span]) -> Minutes:
        return Minutes(total, out, total - out, count(merged(spans)))

    return Judgement(
        span=evidence.span,
        platform=minutes(span for parts in causes.values() for _, span in parts),
        services={service: minutes(s for _, s in parts) for service, parts in causes.items()},
        outages=tuple(_outages(causes)),
    )


_Causes = Mapping[Service, Sequence[tuple[str, Span]]]


def _causes(evidence: Evidence, terms: Terms, excluded: Sequence[Span]) -> _Causes:
    """Return each service's unavailable spans, each with its cause."""
    if terms.method not in BY_MINUTE:
        raise MethodMissing(method=terms.method.value)
    counts = (
        MinuteCount(minute_number(m.minute), m.service, m.valid, m.bad) for m in evidence.marred
    )
    # Silence is known as spans already; laying out a month of probe minutes would cost the most.
    by_calls = availability(counts, evidence.span, terms, watched={}).services
    found: dict[Service, list[tuple[str, Span]]] = {}
    for service in Service:
        failed = spans_of(by_calls[service].unavailable)
        watch = evidence.watches.get(service)
        silent = within(watch.silent, evidence.span) if watch else ()
        found[service] = [
            *((ERRORS, span) for span in without(failed, excluded)),
            *((SILENCE, span) for span in without(silent, excluded)),
        ]
    return found


def _outages(causes: _Causes) -> Iterator[Outage]:
    """Sweep over the spans' borders and name who was down between each two of them, and why."""
    steps = sorted(
        (at, change, service, cause)
        for service, spans in causes.items()
        for cause, span in spans
        for at, change in ((span.since, 1), (span.until, -1))
    )
    down: Counter[tuple[Service, str]] = Counter()
    last: Outage | None = None
    since: datetime | None = None
    for at, change, service, cause in steps:
        if since is not None and since < at and (here := _outage(Span(since, at), down)):
            if last and last.span.until == since and _same(last, here):
                last = replace(last, span=Span(last.span.since, at))
            else:
                if last:
                    yield last
                last = here
        down[service, cause] += change
        since = at
    if last:
        yield last


def _outage(span: Span, down: Mapping[tuple[Service, str], int]) -> Outage | None:
    active = [key for key, spans in down.items() if spans > 0]
    services = tuple(one for one in Service if any(one == service for service, _ in active))
    causes = tuple(sorted({cause for _, cause in active}))
    return Outage(span, services, causes) if active else None


def _same(one: Outage, other: Outage) -> bool:
    return (one.services, one.causes) == (other.services, other.causes)
