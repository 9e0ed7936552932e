"""What a statement says of incidents, as it was told of them, and which outages they go with."""

import msgspec

from ai_agent_mesh.evidence import Moment
from ai_agent_mesh.operations.statements.model import Outage


class IncidentName(msgspec.Struct, frozen=True):
    """Which incident an outage goes with."""

    id: str
    title: str


class IncidentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that hurt in the judged span. No call proves it: it is what operators said."""

    id: str
    title: str
    #: One of the playbook's severities, such as `sev2`.
    severity: str
    services: tuple[str, ...]
    began_at: Moment
    #: Null while it is open.
    resolved_at: Moment | None
    #: In words; null while it is open.
    cause: str | None


#: Unset in statements that were signed before they spoke of incidents.
Said = tuple[IncidentFigures, ...] | msgspec.UnsetType


def behind(outage: Outage, said: Said) -> tuple[IncidentName, ...] | msgspec.UnsetType:
    """Return the incidents that hurt one of an outage's services at any time of it."""
    if said is msgspec.UNSET:
        return msgspec.UNSET
    return tuple(IncidentName(one.id, one.title) for one in said if _meets(one, outage))


def _meets(one: IncidentFigures, outage: Outage) -> bool:
    span, down = outage.span, [service.value for service in outage.services]
    lasted = one.began_at < span.until and (one.resolved_at is None or one.resolved_at > span.since)
    return lasted and any(service in down for service in one.services)
