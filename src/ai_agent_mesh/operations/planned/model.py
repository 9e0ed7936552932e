"""What planned work is: a span, the services it touches, when it was announced, and by which entry."""  # noqa: E501

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla import Announcement, Service

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Maintenance as somebody wants to announce it. The moment of the announcement is not theirs."""  # noqa: E501

    title: str
    since: Moment
    until: Moment
    description: str = ""
    #: Left out or null: all of them.
    services: list[Service] | None = None


class State(StrEnum):
    """Where maintenance stands, in Statuspage's words and one of our own."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Proof:
    """A ledger entry of the tenant `platform`; its number is null until it has one."""

    at: datetime
    entry: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Announced work; what was announced never changes. `services` None means all."""

    id: str
    title: str
    description: str
    span: Span
    services: frozenset[Service] | None
    announced: Proof
    cancelled: Proof | None = None

    @property
    def announcement(self) -> Announcement:
        """Return it as the mathematics takes it."""
        cancelled_at = self.cancelled.at if self.cancelled else None
        return Announcement(self.announced.at, self.span, self.services, cancelled_at)

    @property
    def named(self) -> tuple[Service, ...]:
        """Return every service that it touches."""
        return tuple(s for s in Service if self.services is None or s in self.services)
