"""The calls of the last minutes by window, and of a month by day: one tenant's, or everybody's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.objectives.sums import Spans, sums_since
from ai_agent_mesh.operations.planned import Maintenance, excluded_spans
from ai_agent_mesh.operations.statements import Calls, Watch
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Tx
from ai_agent_mesh.sla import Service, spans_of


@dataclass(frozen=True, slots=True)
class Window:
    """What a window of whole minutes holds."""

    calls: Sequence[Calls] = ()
    #: How many minutes the probe of each watched service was not heard in.
    silent: Mapping[Service, int] = field(default_factory=dict)


async def read_windows(
    tx: Tx,
    until: datetime,
    lengths: Sequence[timedelta],
    playbook: Playbook,
    *,
    tenant: str | None,
) -> Mapping[timedelta, Window]:
    """Return the windows that end at `until`, minutes of maintenance left out of availability.

    `tx` is of the operations role and of no tenant.
    """
    begins = sorted(until - length for length in set(lengths))
    span = Span(begins[0], until)
    excluded = left_out(await touching(tx, span), playbook)
    parts = await sums_since(tx, begins, until, tenant, excluded)
    watches = await ObjectiveStore(tx).watches(span)
    return {
        until - since: Window(
            [one for part in parts[place:] for one in part],
            silent_in(Span(since, until), watches, excluded),
        )
        for place, since in enumerate(begins)
    }


async def read_days(
    tx: Tx,
    span: Span,
    watches: Mapping[Service, Watch],
    excluded: Spans,
    *,
    tenant: str | None,
) -> Sequence[tuple[Span, Window]]:
    """Return each day of a span of whole minutes, as `read_windows` does a window.

    `watches` are those of the span, or of one that it lies in.
    """
    days = list(days_of(span))
    begins = [day.since for day in days]
    calls = await sums_since(tx, begins, span.until, tenant, excluded) if days else []
    return [
        (day, Window(found, silent_in(day, watches, excluded)))
        for day, found in zip(days, calls, strict=True)
    ]


def left_out(works: Iterable[Maintenance], playbook: Playbook) -> Spans:
    """Return the spans of minutes that maintenance takes out of availability, by service."""
    known = tuple(works)
    return {
        service: spans_of(sorted(set().union(*excluded_spans(known, playbook, service))))
        for service in Service
    }


def silent_in(
    span: Span, watches: Mapping[Service, Watch], excluded: Spans
) -> Mapping[Service, int]:
    """Return how many minutes of a span no probe was heard in, maintenance left out."""
    return {
        service: sum(
            _minutes(part) - sum(_minutes(part.overlap(off)) for off in excluded[service])
            for silence in watch.silent
            if (part := silence.overlap(span))
        )
        for service, watch in watches.items()
    }


def days_of(span: Span) -> Iterator[Span]:
    """Yield the days of a span, the first and the last one perhaps broken.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 5, 23, tzinfo=UTC)
    >>> [day.length.seconds for day in days_of(Span(at, at + timedelta(hours=3)))]
    [3600, 7200]
    """
    since = span.since
    while since < span.until:
        midnight = since.replace(hour=0, minute=0) + timedelta(days=1)
        until = min(midnight, span.until)
        yield Span(since, until)
        since = until


def _minutes(span: Span | None) -> int:
    return span.length // MINUTE if span else 0


async def forget_minutes(ledger: Database, before: datetime) -> None:
    """Drop the platform's minutes before a moment; each tenant's own stay.

    What arrives for a dropped minute begins it anew, and is dropped in its turn.

    Raises:
        DatabaseAway: the database cannot be reached now.
    """
    async with ledger.transaction() as tx:
        await tx.execute("DELETE FROM platform_minute WHERE minute < $1", before)
