"""Maintenance as an iCalendar feed (RFC 5545), for calendars that subscribe to it."""

from collections.abc import Iterable

from icalendar import Calendar, Event

from ai_agent_mesh.operations.maintenance import MaintenanceView
from ai_agent_mesh.operations.planned import State

_MAKER = "-//AI-Agent Mesh//Maintenance//EN"


def calendar(works: Iterable[MaintenanceView], url: str) -> bytes:
    """Return maintenance as events, cancelled ones marked so; `url` is where the status page is."""
    feed = Calendar()
    feed.add("prodid", _MAKER)
    feed.add("version", "2.0")
    feed.add("x-wr-calname", "AI-Agent Mesh maintenance")
    for work in works:
        feed.add_component(_event(work, url))
    return bytes(feed.to_ical())


def _event(work: MaintenanceView, url: str) -> Event:
    off = work.state == State.CANCELLED
    said = [work.description, work.verdict, work.impact, f"Services: {', '.join(work.services)}."]
    event = Event()
    event.add("uid", f"{work.id}@ai-agent-mesh")
    event.add("dtstamp", work.cancelled_at or work.announced_at)
    event.add("dtstart", work.since)
    event.add("dtend", work.until)
    event.add("summary", work.title)
    event.add("description", "\n".join(part for part in said if part))
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("sequence", int(off))  # a client takes the later of two with one uid
    event.add("url", f"{url}#{work.id}")
    return event
