"""Maintenance in the shape of Statuspage's scheduled maintenances, version 2."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ai_agent_mesh.operations.maintenance import MaintenanceView
from ai_agent_mesh.operations.planned import State


class Update(msgspec.Struct, frozen=True):
    """What was said of a maintenance, and when."""

    id: str
    status: str
    body: str
    incident_id: str
    created_at: datetime
    updated_at: datetime
    display_at: datetime


class Scheduled(msgspec.Struct, frozen=True):
    """One maintenance. `components` are the ids of those that it touches."""

    id: str
    name: str
    status: str
    created_at: datetime
    updated_at: datetime
    monitoring_at: datetime | None
    resolved_at: datetime | None
    impact: str
    shortlink: str
    started_at: datetime
    page_id: str
    scheduled_for: datetime
    scheduled_until: datetime
    incident_updates: list[Update]
    components: list[str]


def scheduled(works: Iterable[MaintenanceView], url: str) -> list[Scheduled]:
    """Return maintenance as Statuspage tells it; it has no word for what was cancelled."""
    return [_one(work, url) for work in works if work.state != State.CANCELLED]


def _one(work: MaintenanceView, url: str) -> Scheduled:
    told = work.announced_at
    body = " ".join(part for part in (work.description, work.verdict, work.impact) if part)
    return Scheduled(
        id=work.id,
        name=work.title,
        status=work.state,
        created_at=told,
        updated_at=told,
        monitoring_at=None,
        resolved_at=work.until if work.state == State.COMPLETED else None,
        impact="maintenance",
        shortlink=f"{url}#{work.id}",
        started_at=work.since,
        page_id="mesh",
        scheduled_for=work.since,
        scheduled_until=work.until,
        incident_updates=[Update(work.entry, work.state, body, work.id, told, told, told)],
        components=list(work.services),
    )
