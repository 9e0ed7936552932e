"""What may be announced, what it excludes, and what is said of it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned.facts import MaintenanceInvalid
from ai_agent_mesh.operations.planned.model import Draft, Maintenance, State
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.playbook.units import DURATION, WINDOW
from ai_agent_mesh.sla import Service, wholly_in

TITLE_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 4_000
#: Nobody can plan further than this, and a mistyped year should not stand on the status page.
FURTHEST = timedelta(days=366)


def check_draft(draft: Draft, now: datetime) -> None:
    """Let a draft pass; MaintenanceInvalid names every mistake with its place."""
    faults = list(_faults(draft, now))
    if faults:
        raise MaintenanceInvalid(faults=faults)


def _faults(draft: Draft, now: datetime) -> Iterator[Fault]:
    if not draft.title.strip() or len(draft.title) > TITLE_CHARACTERS:
        yield Fault("/title", f"must have 1 to {TITLE_CHARACTERS} characters")
    if not draft.title.isprintable():
        yield Fault("/title", "must be one printable line")
    if len(draft.description) > DESCRIPTION_CHARACTERS:
        yield Fault("/description", f"must have at most {DESCRIPTION_CHARACTERS} characters")
    if draft.until <= draft.since:
        yield Fault("/until", "must be after since")
    elif draft.until <= now:
        yield Fault("/until", "must not have passed")
    if draft.until > now + FURTHEST:
        yield Fault("/until", f"must be within {FURTHEST.days} days from now")
    if draft.services is not None and not draft.services:
        yield Fault("/services", "must name a service, or be left out for all of them")


def notice_asked(playbook: Playbook) -> timedelta:
    """Return how long ahead maintenance is announced to be excluded; endless where none ever is."""
    if not playbook.measurement.maintenance_excluded:
        return timedelta.max
    return playbook.maintenance.notice


def excludes(work: Maintenance, playbook: Playbook) -> bool:
    """Tell whether its minutes are left out of availability."""
    return work.announcement.in_time(notice_asked(playbook))


def is_late(work: Maintenance, playbook: Playbook) -> bool:
    """Tell whether it was announced later than the playbook asks, cancelled or not."""
    return work.span.since - work.announced.at < playbook.maintenance.notice


def is_outside_window(work: Maintenance, playbook: Playbook) -> bool:
    """Tell whether any part of it lies outside the usual weekly window."""
    return not playbook.maintenance.window.covers(work.span)


def state_of(work: Maintenance, now: datetime) -> State:
    """Return where it stands at a moment."""
    if work.cancelled:
        return State.CANCELLED
    if now < work.span.since:
        return State.SCHEDULED
    return State.IN_PROGRESS if now < work.span.until else State.COMPLETED


def running(
    works: Iterable[Maintenance], playbook: Playbook, now: datetime
) -> tuple[Maintenance, ...]:
    """Return what is under way at a moment and excludes its minutes."""
    return tuple(work for work in works if excludes(work, playbook) and work.span.holds(now))


def as_of(works: Iterable[Maintenance], moment: datetime, span: Span) -> tuple[Maintenance, ...]:
    """Return what touches a span, as it was known at a moment: by announcements made before it."""
    return tuple(
        replace(work, cancelled=None) if work.cancelled and work.cancelled.at >= moment else work
        for work in sorted(works, key=lambda work: (work.span, work.id))
        if work.announced.at < moment and work.span.overlap(span)
    )


def excluded_spans(
    works: Iterable[Maintenance], playbook: Playbook, service: Service | None = None
) -> tuple[range, ...]:
    """Return the minutes left out for a service (None: for any), as ranges that may overlap."""
    return tuple(
        wholly_in(work.span)
        for work in works
        if excludes(work, playbook) and (service is None or service in work.named)
    )


def verdict(work: Maintenance, playbook: Playbook) -> str:
    """Say in one sentence what it does to the figures."""
    asked = DURATION.write(playbook.maintenance.notice)
    if work.cancelled:
        return "Cancelled: it excludes nothing."
    if not playbook.measurement.maintenance_excluded:
        return "Its minutes will be judged like any other."
    if is_late(work, playbook):
        return f"Announced too late (less than {asked} ahead): its minutes will be judged."
    return f"Announced at least {asked} ahead: it will exclude its minutes from availability."


def window_note(work: Maintenance, playbook: Playbook) -> str | None:
    """Say that it lies outside the usual window, where it does."""
    if not is_outside_window(work, playbook):
        return None
    return f"Outside the usual window ({WINDOW.write(playbook.maintenance.window)})."


def impact(playbook: Playbook) -> str:
    """Say what maintenance is expected to do to callers."""
    work = playbook.maintenance
    return f"Expected impact: {work.impact} ({work.how})."
