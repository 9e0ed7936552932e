"""How evidence becomes a judgement, and its unavailable minutes become outages with causes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from ai_agent_mesh.kernel.spans import Span, minute_of, whole_minutes
from ai_agent_mesh.operations.statements.model import Evidence, Outage, Tenure, Term, Watch
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import (
    BY_MINUTE,
    Judgement,
    Method,
    MinuteCount,
    Service,
    Terms,
    availability,
    moment_of,
    spans_of,
    started_in,
)

ERRORS = "errors"
SILENCE = "silence"


def settled_until(now: datetime, playbook: Playbook) -> datetime:
    """Return the end of the last minute that can be judged.

    A minute's evidence may still be on its way to the ledger for as long as the probe's interval.
    """
    return minute_of(now - playbook.measurement.probe.interval)


def terms_of(tier: str, playbook: Playbook) -> Terms:
    """Return the figures that a tier's availability is computed by."""
    return playbook.measurement.terms(playbook.tiers[tier].method)


def judged_span(asked: Span, began: datetime, settled: datetime) -> Span:
    """Return the whole minutes of a span since the tenant began and up to the settled ones.

    >>> from datetime import UTC
    >>> at = lambda day, minute=0, second=0: datetime(2026, 11, day, 0, minute, second, tzinfo=UTC)
    >>> judged_span(Span(at(1), at(3)), began=at(2, 0, 30), settled=at(2, 5)).since.minute
    1
    """
    since = max(asked.since, began)
    return whole_minutes(Span(since, max(since, min(asked.until, settled))))


def tenures(terms: Sequence[Term], span: Span) -> tuple[Tenure, ...]:
    """Return which tiers a span of whole minutes was on, one after the other; at least one.

    A minute belongs to the terms that held when it began; what holds first is taken to have held
    before. `terms` are in the order of time.

    >>> from datetime import UTC
    >>> at = lambda minute, second=0: datetime(2026, 11, 1, 0, minute, second, tzinfo=UTC)
    >>> terms = [Term(at(0), "free"), Term(at(2, 30), "enterprise")]
    >>> [(one.tier, one.span.length.seconds) for one in tenures(terms, Span(at(0), at(5)))]
    [('free', 180), ('enterprise', 120)]
    """
    found: list[Tenure] = []
    for term, part in _held(terms, span):
        before = found[-1] if found else None
        if before and before.tier == term.tier:
            fees = (*before.fees, (part, term.monthly_fee))
            found[-1] = Tenure(term.tier, Span(before.span.since, part.until), fees)
        else:
            found.append(Tenure(term.tier, part, ((part, term.monthly_fee),)))
    return tuple(found)


def _held(terms: Sequence[Term], span: Span) -> Iterator[tuple[Term, Span]]:
    """Yield each term with its part of the span; of an empty span only the last that held."""
    begins = [span.since, *(whole_minutes(Span(t.since, t.since)).since for t in terms[1:])]
    ends = [*begins[1:], span.until]
    parts = [
        (term, part)
        for term, since, until in zip(terms, begins, ends, strict=True)
        if since < until and (part := Span(since, until).overlap(span))
    ]
    if not parts:
        yield [term for term in terms if term is terms[0] or term.since <= span.until][-1], span
    yield from parts


def joined(before: Evidence, after: Evidence) -> Evidence:
    """Return the evidence of two adjoining spans as one; calls are not summed up, but kept."""
    watches = {
        service: Watch(min(w.since for w in both), tuple(s for w in both for s in w.silent))
        for service in Service
        if (both := [e.watches[service] for e in (before, after) if service in e.watches])
    }
    return Evidence(
        Span(before.span.since, after.span.until),
        before.minutes + after.minutes,
        watches,
        before.calls + after.calls,
        tuple(dict.fromkeys(before.works + after.works)),
    )


def within(evidence: Evidence, span: Span) -> Evidence:
    """Return the part of some evidence that lies in a span of whole minutes; sums are left out."""
    part = evidence.span.overlap(span) or Span(span.since, span.since)
    minutes = started_in(part)
    return Evidence(
        part,
        tuple(one for one in evidence.minutes if one.minute in minutes),
        {
            service: Watch(w.since, tuple(s for one in w.silent if (s := one.overlap(part))))
            for service, w in evidence.watches.items()
        },
        (),
        tuple(work for work in evidence.works if work.span.overlap(part)),
    )


def judge(evidence: Evidence, terms: Terms, notice: timedelta) -> Judgement:
    """Return the availability of each service and of the platform, by the method of the terms.

    Maintenance is excluded where it was announced at least `notice` ahead.
    """
    return availability(
        evidence.minutes,
        evidence.span,
        terms,
        silent=_silent(evidence.watches),
        unlisted=_unlisted(evidence),
        announcements=[work.announcement for work in evidence.works],
        notice=notice,
    )


def read_singly(
    bad: Sequence[MinuteCount],
    watches: Mapping[Service, Watch],
    excluded: Sequence[range],
    terms: Terms,
) -> tuple[Span, ...]:
    """Return the spans whose every minute a method needs, beside the minutes with bad calls.

    A method by minutes needs none. `intervals` needs the whole intervals with a bad call or a silent
    minute; and where requests count, those of `excluded` minutes must be known to be left out.
    """  # noqa: E501
    if terms.method in BY_MINUTE:
        return ()
    needed = set().union(*excluded)
    if terms.method is Method.INTERVALS:
        silent = (minute for ranges in _silent(watches).values() for r in ranges for minute in r)
        length = terms.interval
        numbers = {minute // length for minute in (*(one.minute for one in bad), *silent)}
        needed.update(number * length + n for number in numbers for n in range(length))
    return spans_of(sorted(needed))


def outages(judgement: Judgement) -> Iterator[Outage]:
    """Yield the unbroken spans in which the same services were unavailable for the same causes."""
    parts = [
        (service, cause, minutes)
        for service, judged in judgement.services.items()
        for cause, minutes in ((ERRORS, judged.failed), (SILENCE, judged.silent))
    ]
    down: dict[int, int] = {}  # a bit for each part: silence may last for a whole month
    for place, (_, _, minutes) in enumerate(parts):
        bit = 1 << place
        for minute in minutes:
            down[minute] = down.get(minute, 0) | bit
    # Numbers that follow each other without a gap keep the same distance from their place.
    runs = groupby(enumerate(sorted(down)), lambda one: (one[1] - one[0], down[one[1]]))
    for (_, bits), run in runs:
        numbers = list(map(itemgetter(1), run))
        found = [part for place, part in enumerate(parts) if bits >> place & 1]
        yield Outage(
            Span(moment_of(numbers[0]), moment_of(numbers[-1] + 1)),
            tuple(dict.fromkeys(service for service, _, _ in found)),
            tuple(sorted({cause for _, cause, _ in found})),
        )


def silence(first: datetime, span: Span, spoken: set[int]) -> Watch:
    """Return the watch of a service tried since `first`; `spoken` are the minutes with a probe."""
    watched = started_in(Span(max(first, span.since), span.until))
    return Watch(first, spans_of(minute for minute in watched if minute not in spoken))


def _silent(watches: Mapping[Service, Watch]) -> Mapping[Service, list[range]]:
    return {service: list(map(started_in, watch.silent)) for service, watch in watches.items()}


def _unlisted(evidence: Evidence) -> Mapping[Service, int]:
    """Return the valid calls of the minutes that were not read singly."""
    valid: Counter[Service] = Counter()
    for calls in evidence.calls:
        valid[calls.service] += calls.valid
    if valid:
        for one in evidence.minutes:
            valid[one.service] -= one.valid
    return valid
