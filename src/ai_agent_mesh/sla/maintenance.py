"""Planned work, and which minutes it takes out of the judgement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.sla.minutes import wholly_in
from ai_agent_mesh.sla.tokens import Service


@dataclass(frozen=True, slots=True)
class Announcement:
    """Work announced for a span; `services` None means all of them."""

    announced_at: datetime
    span: Span
    services: frozenset[Service] | None = None
    cancelled_at: datetime | None = None

    def in_time(self, notice: timedelta) -> bool:
        """Tell whether it was announced at least `notice` before it starts, and still stands."""
        return self.cancelled_at is None and self.span.since - self.announced_at >= notice

    def concerns(self, service: Service) -> bool:
        """Tell whether it takes a service out of the judgement."""
        return self.services is None or service in self.services


def excluded_minutes(
    announcements: Iterable[Announcement], service: Service, notice: timedelta
) -> tuple[range, ...]:
    """Return the ranges of minutes of a service that are not judged.

    Only minutes wholly inside the announced span, and only when it was announced in time; what
    overruns is judged like any other minute.
    """
    return tuple(
        wholly_in(announcement.span)
        for announcement in announcements
        if announcement.in_time(notice) and announcement.concerns(service)
    )
