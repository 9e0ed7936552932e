"""How incidents travel over HTTP and show at the console: who said it is for operators alone."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.operations.incidents.model import Act, Incident
from ai_agent_mesh.playbook import Playbook

#: What customers are not told: who of the operators acted, and what alarmed inside.
_INSIDE = ("opened_by", "alert")


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it stands. For customers `opened_by` and `alert` are null."""

    id: str
    version: int
    title: str
    severity: str
    #: The playbook's word for the severity, such as `Critical`.
    severity_title: str
    services: tuple[str, ...]
    #: Where it stands in the playbook's lifecycle.
    stage: str
    began_at: datetime
    opened_at: datetime
    opened_by: str | None
    alert: str | None
    #: Null while it is open.
    resolved_at: datetime | None
    cause: str | None
    changed_at: datetime


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said of an incident. For customers `by` is null."""

    #: `incident.open`, `incident.update` or `incident.resolve`.
    act: str
    at: datetime
    by: str | None
    #: The ledger entry of the tenant `platform`.
    entry: str
    #: The members that it set, each as text.
    said: Mapping[str, str]


class IncidentWhole(IncidentView, frozen=True, kw_only=True):
    """An incident with everything that was ever said of it, the first act first."""

    history: tuple[ActView, ...]


def view(one: Incident, playbook: Playbook, *, inside: bool) -> IncidentView:
    """Return an incident as it is told; `inside` says that an operator is asking."""
    return IncidentView(**_members(one, playbook, inside=inside))


def whole(one: Incident, acts: Iterable[Act], playbook: Playbook, *, inside: bool) -> IncidentWhole:
    """Return an incident and its history as they are told."""
    told = tuple(_act(act, inside=inside) for act in acts)
    return IncidentWhole(**_members(one, playbook, inside=inside), history=told)


# Members of a view are of many kinds; the views' own fields name each.
def _members(one: Incident, playbook: Playbook, *, inside: bool) -> dict[str, Any]:
    members = msgspec.structs.asdict(one)
    members |= {
        "severity": one.severity.value,
        "severity_title": playbook.severities[one.severity].title,
        "services": tuple(service.value for service in one.services),
        "stage": one.stage.value,
    }
    return members if inside else {**members, **dict.fromkeys(_INSIDE)}


def _act(act: Act, *, inside: bool) -> ActView:
    said = {name: text for name, text in act.said.items() if inside or name not in _INSIDE}
    by = act.by if inside else None
    return ActView(act=act.verb.value, at=act.at, by=by, entry=act.entry, said=said)
