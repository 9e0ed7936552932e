"""Calls counted by minute: from entries or from roll-ups, to evidence that can be judged."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ai_agent_mesh.evidence import Amendment, Entry, Kind, Thresholds
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements.model import PROBE, Calls, Evidence, Watch
from ai_agent_mesh.operations.statements.rules import silence
from ai_agent_mesh.sla import (
    Category,
    Fault,
    MinuteCount,
    Service,
    bad,
    minute_number,
    started_in,
    timed,
    valid,
    within,
)

#: calls, valid, bad, timed, within_p50, within_p95, within_p99
WIDTH = 7
_HOUR = 60
Figures = Sequence[int]


class Key(NamedTuple):
    """Whose calls, and of what."""

    tenant: str
    service: Service
    category: Category


class Counts:
    """The minutes of a span, a row of figures for each; memory grows with the hours that count."""

    def __init__(self, span: Span) -> None:
        self._minutes = started_in(span)
        #: The figures of each hour, a row after the other.
        self._rows: dict[Key, dict[int, list[int]]] = {}

    def add(self, call: Entry, thresholds: Thresholds) -> bool:
        """Add an entry, judged by the thresholds of its time; tell whether it lies in the span."""
        minute = minute_number(call.at)
        if minute not in self._minutes:
            return False
        if call.kind is Kind.CALL and call.service and call.category:
            key = Key(call.tenant, call.service, call.category)
            promised = thresholds.get(call.category, ())
            self.put(key, minute, [1, *_judged(call.fault, call.latency_us, promised)])
        return True

    def correct(self, one: Amendment, thresholds: Thresholds) -> None:
        """Take a corrected call out as it was and put it back as it is."""
        key = Key(one.tenant, one.service, one.category)
        promised = thresholds.get(one.category, ())
        was = _judged(one.was, one.latency_us, promised)
        now = _judged(one.fault, one.latency_us, promised)
        change = [after - before for after, before in zip(now, was, strict=True)]
        self.put(key, minute_number(one.at), [0, *change])

    def put(self, key: Key, minute: int, figures: Figures) -> None:
        """Add figures to a minute; one outside the span is left out."""
        if minute not in self._minutes:
            return
        hour, number = divmod(minute, _HOUR)
        hours = self._rows.setdefault(key, {})
        row = hours.get(hour)
        if row is None:
            row = hours[hour] = [0] * (WIDTH * _HOUR)
        for place, figure in enumerate(figures, number * WIDTH):
            row[place] += figure

    def minutes(self, key: Key) -> Iterator[tuple[int, Figures]]:
        """Yield each minute that has calls, with its figures."""
        for hour, row in sorted(self._rows.get(key, {}).items()):
            for start in range(0, len(row), WIDTH):
                if row[start]:
                    yield hour * _HOUR + start // WIDTH, row[start : start + WIDTH]

    def first_difference(self, other: "Counts") -> tuple[str, object, object] | None:
        """Return the first minute whose figures differ, in order, and both its figures."""
        for key in sorted(self._rows.keys() | other._rows.keys()):  # noqa: SLF001 - its own kind
            ours, theirs = dict(self.minutes(key)), dict(other.minutes(key))
            for minute in sorted(ours.keys() | theirs.keys()):
                left, right = list(ours.get(minute, ())), list(theirs.get(minute, ()))
                if left != right:
                    return f"{key.tenant} {minute} {key.service} {key.category}", left, right
        return None

    def evidence(self, span: Span, watched: Mapping[Service, datetime]) -> Evidence:
        """Return what a part of the span is judged by; `watched` says since when each service is."""  # noqa: E501
        inside = started_in(span)
        minutes: dict[tuple[int, Service], list[int]] = {}
        sums: dict[tuple[Service, Category], list[int]] = {}
        spoken: dict[Service, set[int]] = {service: set() for service in Service}
        for key in sorted(self._rows):
            total = sums.setdefault((key.service, key.category), [0] * WIDTH)
            for minute, figures in self.minutes(key):
                if minute not in inside:
                    continue
                count = minutes.setdefault((minute, key.service), [0, 0])
                count[0] += figures[1]
                count[1] += figures[2]
                for place, figure in enumerate(figures):
                    total[place] += figure
                if key.tenant == PROBE:
                    spoken[key.service].add(minute)
        return Evidence(
            span=span,
            minutes=tuple(MinuteCount(*key, *count) for key, count in sorted(minutes.items())),
            watches=_watches(span, watched, spoken),
            calls=tuple(Calls(*key, *row) for key, row in sorted(sums.items()) if any(row)),
        )


def _judged(fault: Fault, latency_us: int, promised: Sequence[int]) -> list[int]:
    """Return how a call counts: valid, bad, timed, and within each promised latency."""
    counted = bool(promised) and timed(fault)
    return [
        valid(fault), bad(fault), counted,
        *(within(fault, latency_us, target) for target in promised),
    ]  # fmt: skip


def _watches(
    span: Span, watched: Mapping[Service, datetime], spoken: Mapping[Service, set[int]]
) -> Mapping[Service, Watch]:
    return {
        service: silence(since, span, spoken[service])
        for service, since in watched.items()
        if since < span.until
    }
