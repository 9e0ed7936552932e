"""What the public may know of the platform's state: four components, their days, one indicator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from ai_agent_mesh.operations.incidents import IncidentView
from ai_agent_mesh.operations.maintenance import MaintenanceView
from ai_agent_mesh.sla import Service


class State(StrEnum):
    """How a service is now, from best to worst, in Statuspage's words; and one for no evidence."""

    OPERATIONAL = "operational"
    UNKNOWN = "unknown"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"

    @property
    def rank(self) -> int:
        """Return its place from best (0) to worst."""
        return tuple(State).index(self)

    @property
    def words(self) -> str:
        """Return it as a person would say it."""
        return self.value.replace("_", " ").capitalize()


class Indicator(StrEnum):
    """The worst of the components, in Statuspage's words."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a service: how many of its minutes were judged, and how many were unavailable.

    Minutes `excluded` by maintenance are not among the judged ones.
    """

    day: date
    judged: int
    unavailable: int
    excluded: int = 0

    @property
    def uptime(self) -> Fraction | None:
        """Return the available share; null for a day without evidence."""
        return 1 - Fraction(self.unavailable, self.judged) if self.judged else None


@dataclass(frozen=True, slots=True)
class Component:
    """A core service as the public sees it."""

    service: Service
    state: State
    days: Sequence[Day]

    @property
    def uptime(self) -> Fraction | None:
        """Return the available share of all judged minutes; null without evidence."""
        judged = sum(day.judged for day in self.days)
        return 1 - Fraction(sum(day.unavailable for day in self.days), judged) if judged else None


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page: what was known at `at`; `stale` when it could not be read anew."""

    at: datetime | None
    components: Sequence[Component]
    stale: bool = False
    #: Maintenance of the past days and all that is to come, the earliest first.
    works: Sequence[MaintenanceView] = ()
    #: What is open, and what was resolved in the last days, the latest to begin first.
    incidents: Sequence[IncidentView] = ()

    @property
    def unresolved(self) -> Sequence[IncidentView]:
        """Return what is open."""
        return [one for one in self.incidents if one.resolved_at is None]

    @property
    def standing(self) -> Sequence[MaintenanceView]:
        """Return what is under way or to come."""
        return [work for work in self.works if work.state in {"in_progress", "scheduled"}]

    @property
    def worst(self) -> State:
        """Return the state of the component that is worst off."""
        return max((one.state for one in self.components), key=lambda state: state.rank)
