"""Maintenance over HTTP: announced and cancelled by the platform's operators, read by everybody."""

from typing import Protocol

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.maintenance.service import MaintenanceCalendar
from ai_agent_mesh.operations.maintenance.views import MaintenanceView
from ai_agent_mesh.operations.planned import Draft
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged
from ai_agent_mesh.product.identity import Principal


class Wiring(Protocol):
    """What the routes take from the wired application."""

    playbook: Playbook
    clock: Clock


Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]
TAGS = ["service levels"]


@post("/v1/maintenance", summary="Announce maintenance", tags=TAGS)
async def announce_maintenance(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[Draft]
) -> MaintenanceView:
    """Announce work of the platform to every tenant; the answer says what it will exclude."""
    tx = await unit.begin()
    calendar = MaintenanceCalendar(tx, mesh.playbook, mesh.clock, principal.actor_id)
    work = await calendar.announce(data)
    unit.object = work.id
    return await calendar.view(work)


@get("/v1/maintenance", summary="List maintenance, the newest announcement first", tags=TAGS)
async def list_maintenance(
    unit: Work, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[MaintenanceView]:
    """Return a page of what was announced, cancelled ones included."""
    page = page_of(limit, cursor)
    calendar = MaintenanceCalendar(await unit.begin(), mesh.playbook, mesh.clock)
    found = [await calendar.view(work) for work in await calendar.list(page)]
    return paged(found, page, lambda one: one.id)


@get("/v1/maintenance/{maintenance_id:str}", summary="Read one maintenance", tags=TAGS)
async def read_maintenance(
    unit: Work, mesh: Wired, maintenance_id: FromPath[str]
) -> MaintenanceView:
    """Return it as it stands now."""
    calendar = MaintenanceCalendar(await unit.begin(), mesh.playbook, mesh.clock)
    return await calendar.view(await calendar.get(maintenance_id))


@post(
    "/v1/maintenance/{maintenance_id:str}/-/cancel",
    status_code=200,
    summary="Call maintenance off",
    tags=TAGS,
)
async def cancel_maintenance(
    unit: Work, principal: Caller, mesh: Wired, maintenance_id: FromPath[str]
) -> MaintenanceView:
    """Cancel it, as long as it is not over; then none of its minutes are excluded."""
    unit.object = maintenance_id
    tx = await unit.begin()
    calendar = MaintenanceCalendar(tx, mesh.playbook, mesh.clock, principal.actor_id)
    return await calendar.view(await calendar.cancel(maintenance_id))
