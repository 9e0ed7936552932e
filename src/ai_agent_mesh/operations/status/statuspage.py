"""The overview in the shape of Statuspage's public API, version 2, for its clients."""

from datetime import UTC, datetime, time

import msgspec

from ai_agent_mesh.operations.status.model import Component, Overview, State
from ai_agent_mesh.operations.status.reported import Reported, reported
from ai_agent_mesh.operations.status.rules import indicator
from ai_agent_mesh.operations.status.scheduled import Scheduled, scheduled
from ai_agent_mesh.sla import Service

GROUP = "core"
NAMES = {
    Service.API: ("API", "Keys, tenants, agents and their invocation"),
    Service.ORCHESTRATION: ("Orchestration", "Workflows, runs and approvals"),
    Service.GOVERNANCE: ("Governance", "Policies and their decisions"),
    Service.TELEMETRY: ("Telemetry", "Traces, usage and percentiles"),
}


class Page(msgspec.Struct, frozen=True):
    """Whose page it is, and when it was last true."""

    id: str
    name: str
    url: str
    time_zone: str
    updated_at: datetime | None
    #: Beyond Statuspage: the database could not be read, and this is the last that was known.
    stale: bool


class Part(msgspec.Struct, frozen=True):
    """A component, or the group that holds all of them."""

    id: str
    name: str
    status: str
    created_at: datetime | None
    updated_at: datetime | None
    position: int
    description: str | None
    showcase: bool
    start_date: str | None
    group_id: str | None
    page_id: str
    group: bool
    only_show_if_degraded: bool
    components: list[str] | msgspec.UnsetType = msgspec.UNSET


class Banner(msgspec.Struct, frozen=True):
    """How bad it is at worst, and in words."""

    indicator: str
    description: str


class StatusAnswer(msgspec.Struct, frozen=True):
    """What `/api/v2/status.json` says."""

    page: Page
    status: Banner


class ComponentsAnswer(msgspec.Struct, frozen=True):
    """What `/api/v2/components.json` says."""

    page: Page
    components: list[Part]


class SummaryAnswer(msgspec.Struct, frozen=True):
    """What `/api/v2/summary.json` says."""

    page: Page
    components: list[Part]
    #: Those that are open.
    incidents: list[Reported]
    scheduled_maintenances: list[Scheduled]
    status: Banner


class IncidentsAnswer(msgspec.Struct, frozen=True):
    """What `/api/v2/incidents.json` and its like say."""

    page: Page
    incidents: list[Reported]


class ScheduledAnswer(msgspec.Struct, frozen=True):
    """What `/api/v2/scheduled-maintenances.json` and its like say."""

    page: Page
    scheduled_maintenances: list[Scheduled]


def summary(overview: Overview, url: str) -> SummaryAnswer:
    """Return everything in one document; `url` is where the page itself is."""
    group = Part(
        id=GROUP,
        name="Core services",
        status=_status(overview.worst, overview),
        created_at=None,
        updated_at=overview.at,
        position=1,
        description=None,
        showcase=False,
        start_date=None,
        group_id=None,
        page_id="mesh",
        group=True,
        only_show_if_degraded=False,
        components=[one.service.value for one in overview.components],
    )
    parts = [_part(one, overview, place) for place, one in enumerate(overview.components, 1)]
    level, words = indicator(overview)
    page = Page("mesh", "AI-Agent Mesh", url, "Etc/UTC", overview.at, overview.stale)
    planned = scheduled(overview.standing, url)
    wrong = reported(overview.unresolved, url)
    return SummaryAnswer(page, [group, *parts], wrong, planned, Banner(level.value, words))


def _part(one: Component, overview: Overview, place: int) -> Part:
    name, description = NAMES[one.service]
    first = next((day.day for day in one.days if day.judged), None)
    return Part(
        id=one.service.value,
        name=name,
        status=_status(one.state, overview),
        created_at=datetime.combine(first, time(), UTC) if first else None,
        updated_at=overview.at,
        position=place,
        description=description,
        showcase=True,
        start_date=first.isoformat() if first else None,
        group_id=GROUP,
        page_id="mesh",
        group=False,
        only_show_if_degraded=False,
    )


def _status(state: State, overview: Overview) -> str:
    """Return a state in Statuspage's words, which has none for "not measured".

    Where nobody has asked anything yet there is no trouble to tell of. Where our own measurements
    were never read we cannot know, and its mildest word of trouble says so.
    """
    if state is State.UNKNOWN:
        return (State.OPERATIONAL if overview.at else State.DEGRADED).value
    return state.value
