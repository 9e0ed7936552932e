"""One service's month laid out by minute, with its silence and its excluded minutes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_agent_mesh.sla.minutes import MinuteCount
from ai_agent_mesh.sla.tokens import Service


@dataclass(frozen=True, slots=True)
class Column:
    """Counts of one service, minute by minute from `first`; places in `silent` and `excluded`."""

    first: int
    valid: list[int]
    bad: list[int]
    silent: frozenset[int]
    excluded: frozenset[int]

    def heard(self, silent_bad: int) -> "Column":
        """Return the column with each silent minute holding so many bad requests more."""
        valid, bad = self.valid.copy(), self.bad.copy()
        for place in self.silent:
            valid[place] += silent_bad
            bad[place] += silent_bad
        return Column(self.first, valid, bad, self.silent, self.excluded)


def columns(
    counts: Iterable[MinuteCount],
    minutes: range,
    services: Iterable[Service],
    excluded: Mapping[Service, frozenset[int]],
    watched: Mapping[Service, int] | None,
    silent: Mapping[Service, Iterable[int]] | None,
) -> dict[Service, Column]:
    """Return a column for each service; counts outside `minutes` are left out.

    `watched` says from which minute each service was probed; None takes it from the counts.
    `silent`, where given, names the silent minutes in place of the counts.
    """
    first, length = minutes.start, len(minutes)
    laid: dict[Service, tuple[list[int], list[int], bytearray]] = {
        service: ([0] * length, [0] * length, bytearray(length)) for service in services
    }
    find = laid.get
    for minute, service, valid, bad, probes in counts:
        place = minute - first
        if 0 <= place < length and (column := find(service)):
            valids, bads, probed = column
            valids[place] += valid
            if bad:
                bads[place] += bad
            if probes:
                probed[place] = 1
    done = {}
    for service, (valids, bads, probed) in laid.items():
        if silent is None:
            since = None if watched is None else watched.get(service, minutes.stop)
            quiet = _silent(probed, first, since)
        else:
            quiet = _inside(silent.get(service, ()), minutes)
        left_out = _inside(excluded.get(service, ()), minutes)
        done[service] = Column(first, valids, bads, quiet, left_out)
    return done


def _silent(probed: bytearray, first: int, watched: int | None) -> frozenset[int]:
    """Return the places without a probe entry, from the first watched minute on."""
    begin = probed.find(1) if watched is None else max(0, watched - first)
    if begin < 0:
        return frozenset()
    return frozenset(place for place in range(begin, len(probed)) if not probed[place])


def _inside(numbers: Iterable[int], minutes: range) -> frozenset[int]:
    return frozenset(minute - minutes.start for minute in numbers if minute in minutes)
