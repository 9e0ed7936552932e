"""How maintenance travels over HTTP and shows at the console."""

from datetime import datetime

import msgspec

from ai_agent_mesh.operations.planned import (
    Maintenance,
    excludes,
    impact,
    is_late,
    is_outside_window,
    state_of,
    verdict,
    window_note,
)
from ai_agent_mesh.playbook import Playbook


class MaintenanceView(msgspec.Struct, frozen=True, kw_only=True):
    """Announced work, and what it will do to the figures."""

    id: str
    title: str
    description: str
    since: datetime
    until: datetime
    services: tuple[str, ...]
    state: str
    #: The moment of the ledger entry that announced it.
    announced_at: datetime
    entry: str
    cancelled_at: datetime | None
    cancel_entry: str | None
    #: Its minutes are left out of availability.
    excludes: bool
    #: It was announced later than the playbook asks.
    late: bool
    outside_window: bool
    #: The same in words.
    verdict: str
    impact: str


def view(work: Maintenance, playbook: Playbook, now: datetime) -> MaintenanceView:
    """Return what everybody may know of it."""
    notes = [verdict(work, playbook), window_note(work, playbook)]
    return MaintenanceView(
        id=work.id,
        title=work.title,
        description=work.description,
        since=work.span.since,
        until=work.span.until,
        services=tuple(service.value for service in work.named),
        state=state_of(work, now).value,
        announced_at=work.announced.at,
        entry=work.announced.entry,
        cancelled_at=work.cancelled.at if work.cancelled else None,
        cancel_entry=work.cancelled.entry if work.cancelled else None,
        excludes=excludes(work, playbook),
        late=is_late(work, playbook),
        outside_window=is_outside_window(work, playbook),
        verdict=" ".join(note for note in notes if note),
        impact=impact(playbook),
    )
