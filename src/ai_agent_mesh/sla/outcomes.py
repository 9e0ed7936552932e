"""Whose fault a call's outcome is, and what that means for the figures."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Who is to blame for how a call ended."""

    NONE = "none"
    CLIENT = "client"
    QUOTA = "quota"
    UPSTREAM = "upstream"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a fault is counted, and why."""

    valid: bool
    bad: bool
    timed: bool
    reason: str


#: `valid` counts towards availability, `bad` against it, `timed` towards latency.
OUTCOMES: dict[Fault, Outcome] = {
    Fault.NONE: Outcome(True, False, True, "the call was served"),
    Fault.CLIENT: Outcome(False, False, False, "the caller asked for what cannot be had"),
    Fault.QUOTA: Outcome(False, False, False, "the caller was over their own allowance"),
    Fault.UPSTREAM: Outcome(True, False, False, "we did our part; an agent or service beyond us did not"),  # noqa: E501 - a table
    Fault.PLATFORM: Outcome(True, True, True, "we failed; such a call is never within a threshold"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StatusRow:
    """Statuses from `first` to `last`, both included, and the fault they stand for."""

    first: int
    last: int
    fault: Fault
    reason: str


#: Read from the top; the first row that holds the status wins.
STATUSES: tuple[StatusRow, ...] = (
    StatusRow(429, 429, Fault.QUOTA, "too many requests; our own capacity's 429 says so itself"),
    StatusRow(100, 399, Fault.NONE, "informed, served or sent elsewhere"),
    StatusRow(400, 499, Fault.CLIENT, "refused because of what was asked"),
    StatusRow(500, 599, Fault.PLATFORM, "failed, and nothing better is known"),
)


def fault_of_status(status: int) -> Fault:
    """Return the fault that an HTTP status stands for where nothing better is known.

    Raises ValueError for what is no HTTP status.

    >>> fault_of_status(204), fault_of_status(404), fault_of_status(429), fault_of_status(503)
    (<Fault.NONE: 'none'>, <Fault.CLIENT: 'client'>, <Fault.QUOTA: 'quota'>, <Fault.PLATFORM: 'platform'>)
    """  # noqa: E501
    for row in STATUSES:
        if row.first <= status <= row.last:
            return row.fault
    raise ValueError(f"{status} is not an HTTP status")


def valid(fault: Fault) -> bool:
    """Tell whether such a call counts towards availability at all."""
    return OUTCOMES[fault].valid


def bad(fault: Fault) -> bool:
    """Tell whether such a call counts against us."""
    return OUTCOMES[fault].bad


def timed(fault: Fault) -> bool:
    """Tell whether such a call counts in latency attainment (an upstream's fault is left out)."""
    return OUTCOMES[fault].timed


def within(fault: Fault, latency_us: int, threshold_us: int) -> bool:
    """Tell whether a call stayed under a threshold: strictly, and never when it was bad.

    >>> within(Fault.NONE, 99_999, 100_000)
    True
    >>> within(Fault.NONE, 100_000, 100_000)
    False
    >>> within(Fault.PLATFORM, 1, 100_000)
    False
    """
    return timed(fault) and not bad(fault) and latency_us < threshold_us
