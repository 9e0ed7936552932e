"""Availability of each service and of the platform over a span, by a named method, exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla.columns import Column, columns
from ai_agent_mesh.sla.maintenance import Announcement, excluded_minutes
from ai_agent_mesh.sla.methods import (
    BY_MINUTE,
    Terms,
    interval_losses,
    intervals_counted,
    requests,
)
from ai_agent_mesh.sla.minutes import MinuteCount, started_in
from ai_agent_mesh.sla.tokens import Denominator, Method, Service

_WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a span was worth: its minutes, the availability, and the unavailable minutes by number:
    those that `failed` by their requests and those that were `silent` (one may be both).

    Methods that count requests name no minutes; `lost` tells in minutes what they cost.
    """

    total: int
    excluded: int
    counted: int
    failed: frozenset[int]
    silent: frozenset[int]
    availability: Fraction
    valid: int
    bad: int

    @property
    def unavailable(self) -> tuple[int, ...]:
        """Return the unavailable minutes for whatever cause, in ascending order."""
        return tuple(sorted(self.failed | self.silent))

    @property
    def lost(self) -> Fraction:
        """Return how many of the counted minutes were lost."""
        return (1 - self.availability) * self.counted


@dataclass(frozen=True, slots=True)
class Judgement:
    """Each service judged alone, and the platform by the union of their lost minutes."""

    terms: Terms
    services: Mapping[Service, Judged]
    platform: Judged


def availability(
    counts: Iterable[MinuteCount],
    span: Span,
    terms: Terms,
    *,
    silent: Mapping[Service, Iterable[range]] | None = None,
    unlisted: Mapping[Service, int] | None = None,
    announcements: Iterable[Announcement] = (),
    notice: timedelta = timedelta.max,
) -> Judgement:
    """Judge the minutes that start inside a span. With no counted minute nothing was lost.

    `counts` need not hold every minute: those with bad requests are enough for the methods by
    minute; `intervals` needs every minute of the intervals that have a bad or a silent one, and
    `requests` the sum of all valid requests in minutes that are left out, as `unlisted`. Excluded
    minutes must be in `counts` where requests count.

    `silent` names the minutes in which the probe of a service left nothing. `announcements`
    exclude minutes when made at least `notice` ahead.
    """
    told = tuple(announcements)
    excluded = {service: excluded_minutes(told, service, notice) for service in Service}
    laid = columns(counts, started_in(span), Service, excluded, silent or {}, unlisted or {})
    if terms.method not in BY_MINUTE:
        laid = {service: column.heard(terms.silent_bad) for service, column in laid.items()}
    views = {service: _view(column, terms) for service, column in laid.items()}
    each = {service: _judged((view,), terms) for service, view in views.items()}
    return Judgement(terms, each, _judged(tuple(views.values()), terms))


@dataclass(frozen=True, slots=True)
class _View:
    """What a method sees in one service's column."""

    total: int
    excluded: frozenset[int]
    requests: tuple[int, int]
    failed: frozenset[int]
    silent: frozenset[int]
    intervals: frozenset[int]
    losses: Mapping[int, Fraction]


def _view(column: Column, terms: Terms) -> _View:
    by_minute, by_interval = BY_MINUTE.get(terms.method), terms.method is Method.INTERVALS
    return _View(
        total=len(column.minutes),
        excluded=column.excluded,
        requests=requests(column, terms),
        failed=by_minute(column, terms) - column.excluded if by_minute else frozenset(),
        silent=column.silent - column.excluded if by_minute else frozenset(),
        intervals=intervals_counted(column, terms) if by_interval else frozenset(),
        losses=interval_losses(column, terms) if by_interval else {},
    )


def _judged(views: tuple[_View, ...], terms: Terms) -> Judged:
    """Judge some services as one: a minute excluded for all of them is excluded."""
    total = max(view.total for view in views)
    excluded = len(views[0].excluded.intersection(*(view.excluded for view in views)))
    counted = total if terms.denominator is Denominator.FULL else total - excluded
    valid, bad = (sum(view.requests[part] for view in views) for part in (0, 1))
    failed = frozenset().union(*(view.failed for view in views))
    silent = frozenset().union(*(view.silent for view in views))
    if terms.method in BY_MINUTE:
        share = 1 - Fraction(len(failed | silent), counted) if counted else _WHOLE
    elif terms.method is Method.INTERVALS:
        share = _mean_over_intervals(views)
    else:
        share = 1 - Fraction(bad, valid) if valid else _WHOLE
    return Judged(total, excluded, counted, failed, silent, share, valid, bad)


def _mean_over_intervals(views: tuple[_View, ...]) -> Fraction:
    """Return the mean over intervals of the worst service's good share; an empty one is whole."""
    counted = len(frozenset().union(*(view.intervals for view in views)))
    worst: dict[int, Fraction] = {}
    for view in views:
        for number, loss in view.losses.items():
            worst[number] = max(loss, worst.get(number, loss))
    return 1 - _sum([worst[number] for number in sorted(worst)]) / counted if counted else _WHOLE


def _sum(shares: list[Fraction]) -> Fraction:
    """Add shares of one denominator first, the rest by halves: a plain sum of a bad month is slow."""  # noqa: E501
    numerators: dict[int, int] = {}
    for share in shares:
        numerators[share.denominator] = numerators.get(share.denominator, 0) + share.numerator
    return _by_halves([Fraction(over, under) for under, over in numerators.items()])


def _by_halves(shares: list[Fraction]) -> Fraction:
    if len(shares) <= 1:
        return shares[0] if shares else Fraction(0)
    half = len(shares) // 2
    return _by_halves(shares[:half]) + _by_halves(shares[half:])
