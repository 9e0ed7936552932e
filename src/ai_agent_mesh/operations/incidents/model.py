"""What an incident is: when the platform hurt whom, how badly and why; and what is said of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.playbook import Severity, Stage
from ai_agent_mesh.sla import Service

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An incident as somebody wants to open it. The moment of opening is not theirs."""

    title: str
    severity: Severity
    services: list[Service]
    #: When it began to hurt; left out: now.
    began_at: Moment | UnsetType = UNSET
    #: The alert that told of it.
    alert: str | UnsetType = UNSET


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to say otherwise of an incident; what is left out stays."""

    title: str | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    services: list[Service] | UnsetType = UNSET
    stage: Stage | UnsetType = UNSET
    began_at: Moment | UnsetType = UNSET
    #: These two once it is resolved.
    cause: str | UnsetType = UNSET
    resolved_at: Moment | UnsetType = UNSET


class Resolution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an incident ended: why it was, in words, and since when it hurts no more."""

    cause: str
    #: Left out: now.
    resolved_at: Moment | UnsetType = UNSET


class Verb(StrEnum):
    """What an act does, as its ledger entry names it."""

    OPEN = "incident.open"
    UPDATE = "incident.update"
    RESOLVE = "incident.resolve"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an operator said of an incident: never altered, only followed by another."""

    incident: str
    #: 1 for the first of its incident, and so on: the version that it made.
    ordinal: int
    verb: Verb
    at: datetime
    by: str
    #: The ledger entry of the tenant `platform` that it is.
    entry: str
    #: The incident's members that it sets, each as text; services are parted by commas.
    said: Mapping[str, str]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One time that the platform did harm. It is what its acts say, the last word on each."""

    id: str
    #: How many acts made it so.
    version: int
    changed_at: datetime
    title: str
    severity: Severity
    services: tuple[Service, ...]
    #: Where it stands in the playbook's `incidents.lifecycle`.
    stage: Stage
    #: When it began to hurt, which may lie before it was opened.
    began_at: datetime
    opened_at: datetime
    opened_by: str
    alert: str | None = None
    #: Since when it hurts no more; null while it is open.
    resolved_at: datetime | None = None
    #: Why it was, in words; null while it is open.
    cause: str | None = None

    def touches(self, span: Span) -> bool:
        """Tell whether it hurt at any time of a span."""
        ended = self.resolved_at
        return self.began_at < span.until and (ended is None or ended > span.since)
