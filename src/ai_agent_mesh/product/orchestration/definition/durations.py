"""Durations as the language writes them: ISO 8601 or `{hours: 1, minutes: 30}`, in seconds."""

import re
from typing import Any

_UNITS = {
    "days": 86_400.0,
    "hours": 3_600.0,
    "minutes": 60.0,
    "seconds": 1.0,
    "milliseconds": 0.001,
}
_ISO = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
LONGEST_S = 366 * 86_400.0


def seconds_of(value: Any) -> float | str:  # what a document says: anything
    """Return the seconds of a duration, or what is wrong with it.

    >>> seconds_of("PT1M30S"), seconds_of({"minutes": 2}), seconds_of("PT0.25S")
    (90.0, 120.0, 0.25)
    >>> seconds_of("90")
    'must be an ISO 8601 duration such as PT15M, or an object such as {minutes: 15}'
    """
    total = _iso(value) if isinstance(value, str) else _inline(value)
    if total is None:
        return "must be an ISO 8601 duration such as PT15M, or an object such as {minutes: 15}"
    return "must be at most 366 days" if total > LONGEST_S else total


def _iso(text: str) -> float | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    parts = {unit: float(part) for unit, part in found.groupdict().items() if part}
    return parts.pop("weeks", 0.0) * 7 * 86_400 + sum(_UNITS[u] * n for u, n in parts.items())


def _inline(value: Any) -> float | None:
    if not isinstance(value, dict) or not value or set(value) - set(_UNITS):
        return None
    amounts = value.values()
    if any(isinstance(n, bool) or not isinstance(n, int | float) or n < 0 for n in amounts):
        return None
    return float(sum(_UNITS[unit] * amount for unit, amount in value.items()))
