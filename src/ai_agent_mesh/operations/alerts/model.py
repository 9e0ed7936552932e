"""What is promised of the platform as a whole, the rules that alarm, and the alerts they raise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import msgspec

from ai_agent_mesh.playbook import Condition, Signal, Tells, Urgency
from ai_agent_mesh.sla import BurnWindow, Category, Service


@dataclass(frozen=True, slots=True)
class Availability:
    """Good among valid requests of a service; of all services together where it is None."""

    service: Service | None

    @property
    def name(self) -> str:
        """Return it as the names of series and documents have it."""
        return f"{self.service or 'platform'}-availability"


@dataclass(frozen=True, slots=True)
class Speed:
    """Requests of a category that stayed strictly under a threshold, among those that are timed."""

    category: Category
    percentile: str
    threshold: timedelta

    @property
    def name(self) -> str:
        """Return it as the names of series and documents have it."""
        return f"{self.category.replace('_', '-')}-latency-{self.percentile}"


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of requests that must be good, over a calendar month."""

    indicator: Availability | Speed
    goal: Fraction

    @property
    def name(self) -> str:
        """Return its name, such as `api-availability` or `agent-crud-latency-p99`."""
        return self.indicator.name


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure beyond its level."""

    signal: Signal
    condition: Condition


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens now and then."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Burn:
    """An error budget spent too fast in any of some windows."""

    objective: Objective
    windows: tuple[BurnWindow, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert: what it watches, how long that must last, how urgent it is and whom it tells."""

    watches: Threshold | Event | Burn
    urgency: Urgency
    tells: Tells
    lasting: timedelta
    #: One sentence for whoever is told.
    summary: str

    @property
    def name(self) -> str:
        """Return the alert's name, such as `ApiErrorRate`; the same at every urgency."""
        match self.watches:
            case Burn():
                return "ErrorBudgetBurn"
            case Threshold(signal=signal) | Event(signal=signal):
                return "".join(word.capitalize() for word in signal.split("_"))

    @property
    def key(self) -> str:
        """Return what tells it from every other rule, such as `critical/api_error_rate`."""
        match self.watches:
            case Burn(objective=objective):
                return f"{self.urgency}/burn/{objective.name}"
            case Threshold(signal=signal) | Event(signal=signal):
                return f"{self.urgency}/{signal}"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a rule's condition held: since when, when it fired and when it was over."""

    id: str
    #: The rule's key, such as `critical/api_error_rate`.
    rule: str
    name: str
    urgency: Urgency
    tells: Tells
    #: For an error budget: the objective.
    objective: str | None
    summary: str
    #: Since when the condition held.
    since: datetime
    #: Null while it has not held for as long as the rule asks.
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
