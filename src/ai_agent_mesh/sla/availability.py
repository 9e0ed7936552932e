"""Availability of each service and of the platform over a span, by a named method, exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    unavailable,
)
from ai_agent_mesh.sla.minutes import MinuteCount, minute_number, started_in
from ai_agent_mesh.sla.tokens import Denominator, Method, Service

_WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a span was worth: its minutes, the unavailable ones by number, and the availability.

    Methods that count requests name no minutes; `lost` tells in minutes what they cost.
    """

    total: int
    excluded: int
    counted: int
    unavailable: tuple[int, ...]
    availability: Fraction
    valid: int
    bad: int

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
    services: Iterable[Service] = tuple(Service),
    announcements: Iterable[Announcement] = (),
    notice: timedelta = timedelta.max,
    watched: Mapping[Service, datetime] | None = None,
    silent: Mapping[Service, Iterable[int]] | None = None,
) -> Judgement:
    """Judge the minutes that start inside a span.

    `announcements` exclude minutes when made at least `notice` ahead. `watched` gives the moment of
    each service's first probe entry, from which silence counts against it; None takes it from the
    counts, an empty mapping watches nothing. `silent` names the silent minutes themselves, for who
    brings only the counts of minutes with bad requests. With no counted minute nothing was lost.
    """
    minutes, judged = started_in(span), tuple(services)
    told = tuple(announcements)
    excluded = {service: excluded_minutes(told, service, notice) for service in judged}
    since = None if watched is None else {key: minute_number(at) for key, at in watched.items()}
    laid = columns(counts, minutes, judged, excluded, since, silent)
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
    unavailable: frozenset[int]
    intervals: frozenset[int]
    losses: Mapping[int, Fraction]


def _view(column: Column, terms: Terms) -> _View:
    by_minute, by_interval = terms.method in BY_MINUTE, terms.method is Method.INTERVALS
    return _View(
        total=len(column.bad),
        excluded=frozenset(column.first + place for place in column.excluded),
        requests=requests(column),
        unavailable=unavailable(column, terms) if by_minute else frozenset(),
        intervals=intervals_counted(column, terms) if by_interval else frozenset(),
        losses=interval_losses(column, terms.interval) if by_interval else {},
    )


def _judged(views: tuple[_View, ...], terms: Terms) -> Judged:
    """Judge some services as one: a minute excluded for all of them is excluded."""
    total = max((view.total for view in views), default=0)
    excluded = len(_common([view.excluded for view in views]))
    counted = total if terms.denominator is Denominator.FULL else total - excluded
    valid, bad = (sum(view.requests[part] for view in views) for part in (0, 1))
    named = tuple(sorted(frozenset().union(*(view.unavailable for view in views))))
    if terms.method in BY_MINUTE:
        share = 1 - Fraction(len(named), counted) if counted else _WHOLE
    elif terms.method is Method.INTERVALS:
        share = _mean_over_intervals(views)
    else:
        share = 1 - Fraction(bad, valid) if valid else _WHOLE
    return Judged(total, excluded, counted, named, share, valid, bad)


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


def _common(sets: list[frozenset[int]]) -> frozenset[int]:
    return sets[0].intersection(*sets[1:]) if sets else frozenset()
