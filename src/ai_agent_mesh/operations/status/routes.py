"""The machine-readable status and the two questions of a load balancer: public, cheap."""

from collections.abc import Collection

from litestar import Request, Response, get
from litestar.datastructures import State as AppState
from litestar.params import SkipValidation

from ai_agent_mesh.operations.planned import State as MaintenanceState
from ai_agent_mesh.operations.status.calendar import calendar
from ai_agent_mesh.operations.status.ports import Wiring
from ai_agent_mesh.operations.status.readiness import Report
from ai_agent_mesh.operations.status.reported import reported
from ai_agent_mesh.operations.status.scheduled import scheduled
from ai_agent_mesh.operations.status.statuspage import (
    ComponentsAnswer,
    IncidentsAnswer,
    ScheduledAnswer,
    StatusAnswer,
    SummaryAnswer,
    summary,
)

Wired = SkipValidation[Wiring]

AnyRequest = Request[object, object, AppState]


@get("/api/v2/summary.json", summary="Read the whole status", tags=["status"])
async def summary_json(request: AnyRequest, mesh: Wired) -> SummaryAnswer:
    """Answer with page, components, incidents, maintenances and the banner."""
    return summary(await mesh.status.overview(), _page(request))


@get("/api/v2/status.json", summary="Read the banner", tags=["status"])
async def status_json(request: AnyRequest, mesh: Wired) -> StatusAnswer:
    """Answer with the page and the banner alone."""
    whole = summary(await mesh.status.overview(), _page(request))
    return StatusAnswer(whole.page, whole.status)


@get("/api/v2/components.json", summary="Read the components", tags=["status"])
async def components_json(request: AnyRequest, mesh: Wired) -> ComponentsAnswer:
    """Answer with the page and its components."""
    whole = summary(await mesh.status.overview(), _page(request))
    return ComponentsAnswer(whole.page, whole.components)


@get("/api/v2/incidents.json", summary="Read incidents, open and of the last days", tags=["status"])
async def incidents_json(request: AnyRequest, mesh: Wired) -> IncidentsAnswer:
    """Answer with the page and its incidents."""
    overview, url = await mesh.status.overview(), _page(request)
    return IncidentsAnswer(summary(overview, url).page, reported(overview.incidents, url))


@get("/api/v2/incidents/unresolved.json", summary="Read open incidents", tags=["status"])
async def unresolved_json(request: AnyRequest, mesh: Wired) -> IncidentsAnswer:
    """Answer with the page and its open incidents."""
    whole = summary(await mesh.status.overview(), _page(request))
    return IncidentsAnswer(whole.page, whole.incidents)


@get(
    "/api/v2/scheduled-maintenances.json",
    summary="Read maintenance, past and planned",
    tags=["status"],
)
async def scheduled_json(request: AnyRequest, mesh: Wired) -> ScheduledAnswer:
    """Answer with the page and the maintenance of the past days and to come."""
    return await _scheduled(request, mesh, set(MaintenanceState))


@get(
    "/api/v2/scheduled-maintenances/upcoming.json",
    summary="Read the maintenance to come",
    tags=["status"],
)
async def upcoming_json(request: AnyRequest, mesh: Wired) -> ScheduledAnswer:
    """Answer with the page and the maintenance that has not begun."""
    return await _scheduled(request, mesh, {MaintenanceState.SCHEDULED})


@get(
    "/api/v2/scheduled-maintenances/active.json",
    summary="Read the maintenance under way",
    tags=["status"],
)
async def active_json(request: AnyRequest, mesh: Wired) -> ScheduledAnswer:
    """Answer with the page and the maintenance that runs now."""
    return await _scheduled(request, mesh, {MaintenanceState.IN_PROGRESS})


@get(
    "/status/maintenance.ics",
    media_type="text/calendar",
    summary="Subscribe a calendar to maintenance",
    tags=["status"],
)
async def maintenance_ics(request: AnyRequest, mesh: Wired) -> Response[bytes]:
    """Answer with the maintenance of the past days and to come, as iCalendar."""
    overview = await mesh.status.overview()
    feed = calendar(overview.works, _page(request))
    return Response(feed, media_type="text/calendar")


async def _scheduled(
    request: AnyRequest, mesh: Wiring, states: Collection[MaintenanceState]
) -> ScheduledAnswer:
    overview = await mesh.status.overview()
    works = [work for work in overview.works if work.state in states]
    url = _page(request)
    return ScheduledAnswer(summary(overview, url).page, scheduled(works, url))


@get("/livez", summary="Ask whether the process is alive", tags=["status"])
async def livez() -> dict[str, bool]:
    """Answer at all: the event loop turns. Nothing else is looked at."""
    return {"alive": True}


@get("/readyz", summary="Ask whether the process can serve", tags=["status"])
async def readyz(mesh: Wired) -> Response[Report]:
    """Answer 200 when every check passes, else 503 with what is wrong."""
    report = await mesh.readiness.report()
    headers = {"Cache-Control": "no-store"}
    return Response(report, status_code=200 if report.ready else 503, headers=headers)


def _page(request: AnyRequest) -> str:
    return f"{str(request.base_url).rstrip('/')}/status"
