"""What one service did in the minutes of a span: only minutes that matter singly are laid out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_agent_mesh.sla.minutes import MinuteCount
from ai_agent_mesh.sla.tokens import Service


@dataclass(frozen=True, slots=True)
class Column:
    """Counts of one service by minute; a minute that is not among them had no bad request.

    `unlisted` valid requests lie in minutes that are neither among the counts nor excluded.
    """

    minutes: range
    valid: Mapping[int, int]
    bad: Mapping[int, int]
    unlisted: int
    silent: frozenset[int]
    excluded: frozenset[int]

    def heard(self, silent_bad: int) -> "Column":
        """Return the column with each silent minute holding so many bad requests more."""
        valid, bad = dict(self.valid), dict(self.bad)
        for minute in self.silent:
            valid[minute] = valid.get(minute, 0) + silent_bad
            bad[minute] = bad.get(minute, 0) + silent_bad
        return Column(self.minutes, valid, bad, self.unlisted, self.silent, self.excluded)


def columns(
    counts: Iterable[MinuteCount],
    minutes: range,
    services: Iterable[Service],
    excluded: Mapping[Service, Iterable[range]],
    silent: Mapping[Service, Iterable[range]],
    unlisted: Mapping[Service, int],
) -> dict[Service, Column]:
    """Return a column for each service; whatever lies outside `minutes` is left out."""
    laid: dict[Service, tuple[dict[int, int], dict[int, int]]] = {
        service: ({}, {}) for service in services
    }
    for minute, service, valid, bad in counts:
        if minute in minutes and service in laid:
            valids, bads = laid[service]
            valids[minute] = valids.get(minute, 0) + valid
            if bad:
                bads[minute] = bads.get(minute, 0) + bad
    return {
        service: Column(
            minutes,
            valids,
            bads,
            unlisted.get(service, 0),
            _inside(silent.get(service, ()), minutes),
            _inside(excluded.get(service, ()), minutes),
        )
        for service, (valids, bads) in laid.items()
    }


def _inside(ranges: Iterable[range], minutes: range) -> frozenset[int]:
    return frozenset().union(
        *(range(max(one.start, minutes.start), min(one.stop, minutes.stop)) for one in ranges)
    )
