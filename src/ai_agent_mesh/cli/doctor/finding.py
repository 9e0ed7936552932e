"""What one look at the environment found, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is: `warn` runs but deserves a look, `fail` does not run."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome."""

    check: str
    state: State
    found: str
    #: What to do about it; empty where there is nothing to do.
    mend: str = ""


def passed(check: str, found: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, State.PASS, found)


def judged(check: str, found: str, *, good: bool, mend: str, worst: State = State.FAIL) -> Finding:
    """Return a pass when `good`, else `worst` with its mend."""
    return passed(check, found) if good else Finding(check, worst, found, mend)
