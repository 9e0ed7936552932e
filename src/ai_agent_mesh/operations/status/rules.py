"""How minutes become a state, a day's bar and a banner."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.maintenance import view
from ai_agent_mesh.operations.planned import excluded_spans, notice_asked, running
from ai_agent_mesh.operations.statements import Evidence, judge, within
from ai_agent_mesh.operations.status.model import Component, Day, Indicator, Overview, State
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Method, MinuteCount, Service, moment_of, spans_of, started_in

#: How far the page looks back, and how many of the last minutes make the present. Both shape what
#: is shown and promise nothing, so they stand here and not in the playbook.
DAYS = 90
PRESENT = 5
#: For how long an incident that is over stays on the page.
RECENT = timedelta(days=14)

INDICATORS: Mapping[State, tuple[Indicator, str]] = {
    State.OPERATIONAL: (Indicator.NONE, "All systems operational"),
    State.UNKNOWN: (Indicator.NONE, "Not measured yet"),
    # Statuspage documents no indicator for it.
    State.MAINTENANCE: (Indicator.NONE, "Maintenance in progress"),
    State.DEGRADED: (Indicator.MINOR, "Partially degraded service"),
    State.PARTIAL: (Indicator.MAJOR, "Partial system outage"),
    State.MAJOR: (Indicator.CRITICAL, "Major service outage"),
}


@dataclass(frozen=True, slots=True)
class _Judged:
    """The minutes of every month together, each month judged by its own playbook."""

    unavailable: Mapping[Service, Sequence[Span]]
    excluded: Mapping[Service, Sequence[range]]


def overview_of(
    evidence: Evidence,
    heard: Mapping[Service, datetime],
    agreed: Mapping[Month, Playbook],
    now: datetime,
) -> Overview:
    """Return what the page shows of the evidence; `heard` is each service's first call of all.

    `agreed` has the playbook of every month of the evidence, of its works, and of now.
    A service whose minutes are excluded just now is under maintenance, whatever its calls or the
    probe's silence say. Maintenance that was announced too late hides nothing.
    """
    span = evidence.span
    present = Span(span.until - PRESENT * MINUTE, span.until)
    judged = _judged(evidence, agreed)
    under_way = {
        service
        for work in running(evidence.works, agreed[Month.of(now)], now)
        for service in work.named
    }
    return Overview(
        span.until,
        [
            Component(
                service,
                State.MAINTENANCE
                if service in under_way
                else state_of(
                    present,
                    judged.unavailable[service],
                    [one for one in evidence.minutes if one.service == service],
                    heard=service in heard and heard[service] < span.until,
                ),
                days_of(
                    span,
                    judged.unavailable[service],
                    heard.get(service),
                    judged.excluded[service],
                ),
            )
            for service in Service
        ],
        works=[view(one, agreed[Month.of(one.span.since)], now) for one in evidence.works],
    )


def _judged(evidence: Evidence, agreed: Mapping[Month, Playbook]) -> _Judged:
    unavailable: dict[Service, list[Span]] = {service: [] for service in Service}
    excluded: dict[Service, list[range]] = {service: [] for service in Service}
    for month in evidence.span.months:
        part = within(evidence, month.span)
        playbook, inside = agreed[month], started_in(part.span)
        terms = playbook.measurement.terms(Method.PERIOD)
        found = judge(part, terms, notice_asked(playbook)).services
        for service in Service:
            unavailable[service] += spans_of(found[service].unavailable)
            excluded[service] += [
                range(max(one.start, inside.start), min(one.stop, inside.stop))
                for one in excluded_spans(part.works, playbook, service)
            ]
    return _Judged(unavailable, excluded)


def state_of(
    present: Span,
    unavailable: Sequence[Span],
    bad: Sequence[MinuteCount],
    *,
    heard: bool,
) -> State:
    """Return how one service is, from its last judged minutes.

    `bad` are its minutes with bad calls; `heard` says that there is evidence at all. The newest
    minute decides on an outage: a major one when nothing in it succeeded (or nobody could even
    ask), else a partial one. A bad call or an unavailable minute shortly before leaves it degraded.
    """
    if not heard:
        return State.UNKNOWN
    newest = present.until - MINUTE
    here = [one for one in bad if present.holds(moment_of(one.minute))]
    if any(span.holds(newest) for span in unavailable):
        succeeded = any(one.bad < one.valid for one in here if moment_of(one.minute) == newest)
        return State.PARTIAL if succeeded else State.MAJOR
    shaken = here or any(span.overlap(present) for span in unavailable)
    return State.DEGRADED if shaken else State.OPERATIONAL


def days_of(
    span: Span,
    unavailable: Sequence[Span],
    heard_since: datetime | None,
    excluded: Sequence[range] = (),
) -> tuple[Day, ...]:
    """Return a service's days in the span; minutes before the first evidence are not judged."""
    down = _per_day(unavailable)
    # The first call may lie in a minute that is not judged yet.
    begins = max(span.since, heard_since or span.until)
    judged = _per_day([Span(begins, max(begins, span.until))])
    known = started_in(Span(begins, max(begins, span.until)))
    left_out = _per_day(
        spans_of(sorted(minute for minute in set().union(*excluded) if minute in known))
    )
    first = span.since.date()
    count = -(-span.length // timedelta(days=1))
    days = (first + timedelta(days=n) for n in range(count))
    return tuple(
        Day(
            day,
            judged.get(day, 0) - left_out.get(day, 0),
            down.get(day, 0),
            left_out.get(day, 0),
        )
        for day in days
    )


def _per_day(spans: Iterable[Span]) -> Mapping[date, int]:
    """Return how many of the spans' minutes lie on each day."""
    minutes: dict[date, int] = {}
    for span in spans:
        since = span.since
        while since < span.until:
            midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
            until = min(midnight + timedelta(days=1), span.until)
            minutes[since.date()] = minutes.get(since.date(), 0) + (until - since) // MINUTE
            since = until
    return minutes


def indicator(overview: Overview) -> tuple[Indicator, str]:
    """Return the banner: how bad it is at worst, and in words."""
    if overview.at is None:
        return Indicator.CRITICAL, "Our own measurements cannot be read"
    return INDICATORS[overview.worst]


def unread(services: Collection[Service]) -> Overview:
    """Return what can be said before anything could ever be read."""
    return Overview(None, [Component(service, State.UNKNOWN, ()) for service in services], True)


def stale(known: Overview) -> Overview:
    """Return the last known overview, marked as such."""
    return replace(known, stale=True)
