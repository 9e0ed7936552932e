"""The landing page, the status page, the platform's objectives, and the files that pages need."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Protocol

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, SkipValidation

from ai_agent_mesh.operations.incidents import IncidentView
from ai_agent_mesh.operations.maintenance import MaintenanceView
from ai_agent_mesh.operations.objectives import Everybody, slos_fragment
from ai_agent_mesh.operations.status import DAYS, NAMES, RECENT, Component, State, Status, indicator
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Service, percent_text
from ai_agent_mesh.web import bars
from ai_agent_mesh.web.layout import CONTENT, HEADERS, STATIC, page
from ai_agent_mesh.web.reference import reference

_WORK_WORDS = {
    "scheduled": "Planned",
    "in_progress": "In progress",
    "completed": "Done",
    "cancelled": "Cancelled",
}


class Wiring(Protocol):
    """What the pages ask of the wired application."""

    @property
    def status(self) -> Status:
        """Return the public overview's keeper."""
        ...

    @property
    def everybody(self) -> Everybody:
        """Return who keeps where the platform's objectives stand."""
        ...

    @property
    def playbook(self) -> Playbook:
        """Return the playbook in force."""
        ...


@get("/", include_in_schema=False)
async def landing() -> Response[str]:
    """Say what this is and where to go."""
    return page("landing.html", here="/", days=DAYS, version=version("ai-agent-mesh"))


@get("/status", include_in_schema=False)
async def status(mesh: SkipValidation[Wiring]) -> Response[str]:
    """Show how the core services are and were."""
    overview = await mesh.status.overview()
    level, words = indicator(overview)
    # The banner's colour follows the indicator, but for two states that are neither good nor bad.
    plain = overview.at is not None and overview.worst in {State.UNKNOWN, State.MAINTENANCE}
    return page(
        "status.html",
        max_age_s=5,
        here="/status",
        days=DAYS,
        at=overview.at,
        stale=overview.stale,
        indicator=overview.worst.value if plain else level.value,
        works=[_work(one) for one in overview.works if one.until > (overview.at or one.since)],
        incidents=[_incident(one) for one in overview.incidents],
        recent=RECENT.days,
        banner=words,
        sign=bars.SIGNS[overview.worst if overview.at else State.MAJOR],
        components=[_component(one) for one in overview.components],
        threshold=percent_text(mesh.playbook.measurement.error_threshold),
    )


@get("/slos", include_in_schema=False)
async def objectives(mesh: SkipValidation[Wiring]) -> Response[str]:
    """Show where the platform's objectives of the running month stand, all customers together."""
    standing, fresh = await mesh.everybody.standing()
    return page(
        "slos.html",
        max_age_s=30,
        here="/slos",
        fresh=fresh,
        fragment=slos_fragment(standing, public=True) if standing else None,
    )


@get("/static/{name:str}", include_in_schema=False)
async def static(name: FromPath[str]) -> Response[bytes]:
    """Give one of the few files that the pages need."""
    if name not in CONTENT:
        return Response(b"", status_code=404, media_type=MediaType.TEXT, headers=HEADERS)
    headers = {**HEADERS, "Cache-Control": "public, max-age=86400"}
    return Response(CONTENT[name], media_type=STATIC[name], headers=headers)


def _component(one: Component) -> dict[str, object]:
    name, about = NAMES[one.service]
    return {
        "key": one.service.value,
        "name": name,
        "about": about,
        "state": one.state.value,
        "words": one.state.words,
        "sign": bars.SIGNS[one.state],
        "bars": [bars.bar(day) for day in one.days],
        "summary": bars.summary(one, name),
        "uptime": bars.uptime(one),
        "troubled": [
            {
                "date": day.day.isoformat(),
                "unavailable": bars.duration(day.unavailable),
                "uptime": bars.short(day.uptime),
            }
            for day in reversed(one.days)
            if day.unavailable
        ],
    }


def _work(one: MaintenanceView) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "state": one.state,
        "words": _WORK_WORDS[one.state],
        "since": one.since,
        "until": one.until,
        "services": _named(one.services),
        "verdict": one.verdict,
        "impact": one.impact,
        "announced": one.announced_at,
    }


def _incident(one: IncidentView) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "words": one.stage.replace("_", " ").capitalize()
        if one.resolved_at is None
        else "Resolved",
        "severity": one.severity_title,
        "began": one.began_at,
        "ended": one.resolved_at,
        "services": _named(one.services),
        "cause": one.cause,
    }


def _named(services: Iterable[str]) -> str:
    return ", ".join(NAMES[Service(name)][0] for name in services)


def routes() -> list[HTTPRouteHandler]:
    """Return the handlers to mount."""
    return [landing, status, objectives, static, reference]
