"""Incidents over HTTP: opened, changed and resolved by the platform's operators, read by everybody."""  # noqa: E501

from typing import Protocol

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.incidents.model import Change, Draft, Incident, Resolution
from ai_agent_mesh.operations.incidents.service import Incidents
from ai_agent_mesh.operations.incidents.views import IncidentView, IncidentWhole, view, whole
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.http import (
    Cursor,
    IfMatch,
    Limit,
    Paged,
    Unit,
    Work,
    page_of,
    paged,
    tag,
)
from ai_agent_mesh.product.identity import PLATFORM_TENANT, Principal


class Wiring(Protocol):
    """What the routes take from the wired application."""

    playbook: Playbook
    clock: Clock


Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]
TAGS = ["incidents"]


@post("/v1/incidents", summary="Open an incident", tags=TAGS)
async def open_incident(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[Draft]
) -> Response[IncidentView]:
    """Open an incident as of now; every customer can read it."""
    incidents = await _incidents(unit, principal, mesh)
    return _answer(unit, mesh, await incidents.open(data))


@get("/v1/incidents", summary="List incidents, the newest opened first", tags=TAGS)
async def list_incidents(
    unit: Work, principal: Caller, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[IncidentView]:
    """Return a page of incidents, open and resolved."""
    page, inside = page_of(limit, cursor), _inside(principal)
    found = await (await _incidents(unit, principal, mesh)).list(page)
    views = [view(one, mesh.playbook, inside=inside) for one in found]
    return paged(views, page, lambda one: one.id)


@get("/v1/incidents/{incident_id:str}", summary="Read an incident and its history", tags=TAGS)
async def read_incident(
    unit: Work, principal: Caller, mesh: Wired, incident_id: FromPath[str]
) -> Response[IncidentWhole]:
    """Return the incident as it stands, with all that was ever said of it."""
    incidents = await _incidents(unit, principal, mesh)
    one = await incidents.get(incident_id)
    acts = await incidents.history(one.id)
    told = whole(one, acts, mesh.playbook, inside=_inside(principal))
    return Response(told, headers={"ETag": tag(one.version)})


@patch("/v1/incidents/{incident_id:str}", summary="Say something of an incident anew", tags=TAGS)
async def change_incident(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    incident_id: FromPath[str],
    data: JSONBody[Change],
    if_match: IfMatch = None,
) -> Response[IncidentView]:
    """Return the incident as changed; what was said before stays in its history."""
    incidents = await _incidents(unit, principal, mesh)
    return _answer(unit, mesh, await incidents.update(incident_id, data, if_match))


@post(
    "/v1/incidents/{incident_id:str}/-/resolve",
    status_code=200,
    summary="Resolve an incident",
    tags=TAGS,
)
async def resolve_incident(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    incident_id: FromPath[str],
    data: JSONBody[Resolution],
    if_match: IfMatch = None,
) -> Response[IncidentView]:
    """Say that it is over, and why it was."""
    incidents = await _incidents(unit, principal, mesh)
    return _answer(unit, mesh, await incidents.resolve(incident_id, data, if_match))


async def _incidents(unit: Unit, principal: Principal, mesh: Wiring) -> Incidents:
    return Incidents(await unit.begin(), mesh.playbook, mesh.clock, principal.actor_id)


def _inside(principal: Principal) -> bool:
    return principal.tenant_id == PLATFORM_TENANT


def _answer(unit: Unit, mesh: Wiring, one: Incident) -> Response[IncidentView]:
    """Answer an operator's act with what it made."""
    unit.object = one.id
    return Response(view(one, mesh.playbook, inside=True), headers={"ETag": tag(one.version)})
