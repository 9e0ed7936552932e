"""Incidents in the shape of Statuspage's, version 2."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from ai_agent_mesh.operations.incidents import IncidentView
from ai_agent_mesh.operations.status.scheduled import Update
from ai_agent_mesh.playbook import Severity, Stage

#: Statuspage knows fewer stages than the playbook, and other words for how bad it is.
_STATUSES: Mapping[str, str] = {
    Stage.DETECTION: "investigating",
    Stage.TRIAGE: "investigating",
    Stage.INVESTIGATION: "investigating",
    Stage.MITIGATION: "identified",
    Stage.RESOLUTION: "resolved",
    Stage.POST_MORTEM: "postmortem",
}
_IMPACTS: Mapping[str, str] = {
    Severity.SEV1: "critical",
    Severity.SEV2: "major",
    Severity.SEV3: "minor",
    Severity.SEV4: "none",
}


class Reported(msgspec.Struct, frozen=True):
    """One incident. `components` are the ids of those that it touches."""

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
    #: The last word alone; `GET /v1/incidents/{id}` has all.
    incident_updates: list[Update]
    components: list[str]


def reported(incidents: Iterable[IncidentView], url: str) -> list[Reported]:
    """Return incidents as Statuspage tells them; `url` is where the page itself is."""
    return [_one(each, url) for each in incidents]


def _one(one: IncidentView, url: str) -> Reported:
    status, last = _STATUSES[one.stage], one.changed_at
    body, word = one.cause or one.title, f"{one.id}.{one.version}"
    return Reported(
        id=one.id,
        name=one.title,
        status=status,
        created_at=one.opened_at,
        updated_at=last,
        monitoring_at=None,
        resolved_at=one.resolved_at,
        impact=_IMPACTS[one.severity],
        shortlink=f"{url}#{one.id}",
        started_at=one.began_at,
        page_id="mesh",
        incident_updates=[Update(word, status, body, one.id, last, last, last)],
        components=list(one.services),
    )
