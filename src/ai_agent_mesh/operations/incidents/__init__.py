"""Incidents: when the platform did harm, how badly, since when, until when, and why."""

from ai_agent_mesh.operations.incidents.facts import (
    AlreadyResolved,
    IncidentInvalid,
    IncidentMissing,
    NotResolved,
    PlatformAlone,
)
from ai_agent_mesh.operations.incidents.history import known
from ai_agent_mesh.operations.incidents.model import Act, Change, Draft, Incident, Resolution
from ai_agent_mesh.operations.incidents.rules import open_stages
from ai_agent_mesh.operations.incidents.service import Incidents
from ai_agent_mesh.operations.incidents.store import IncidentStore, recorded, touching
from ai_agent_mesh.operations.incidents.views import (
    ActView,
    IncidentView,
    IncidentWhole,
    view,
    whole,
)

__all__ = [
    "Act",
    "ActView",
    "AlreadyResolved",
    "Change",
    "Draft",
    "Incident",
    "IncidentInvalid",
    "IncidentMissing",
    "IncidentStore",
    "IncidentView",
    "IncidentWhole",
    "Incidents",
    "NotResolved",
    "PlatformAlone",
    "Resolution",
    "known",
    "open_stages",
    "recorded",
    "touching",
    "view",
    "whole",
]
