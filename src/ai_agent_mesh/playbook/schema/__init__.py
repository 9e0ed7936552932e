"""The whole playbook as one frozen value; every field is a key of the YAML file."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

from ai_agent_mesh.playbook.schema.capacity import Capacity, Cost, Projection, Scaling
from ai_agent_mesh.playbook.schema.changes import Deployments, Rollback
from ai_agent_mesh.playbook.schema.continuity import Backups, HighAvailability, Scenario
from ai_agent_mesh.playbook.schema.incidents import (
    EnterpriseContact,
    Incidents,
    SeverityTerms,
    StatusPage,
)
from ai_agent_mesh.playbook.schema.kinds import EACH_SEVERITY, EACH_TIER, Keys, Section
from ai_agent_mesh.playbook.schema.monitoring import (
    AlertGroup,
    Alerting,
    Monitoring,
    OnCall,
    Urgency,
)
from ai_agent_mesh.playbook.schema.promises import (
    ApiKeys,
    Document,
    Durability,
    Latency,
    Limits,
    Maintenance,
    Measurement,
    Tier,
)
from ai_agent_mesh.playbook.schema.security import Compliance, Security
from ai_agent_mesh.playbook.schema.support import Contacts, Kpis, Reviews, SupportTerms
from ai_agent_mesh.playbook.writing import digest_of
from ai_agent_mesh.sla import Category

_TIMED = Keys(Category, but=frozenset({Category.OTHER}))


class Playbook(Section, frozen=True, dict=True):
    """Every promise, limit, clock, threshold and price, in values that code can use."""

    document: Document
    tiers: Annotated[Mapping[str, Tier], EACH_TIER]
    latency: Annotated[Mapping[str, Latency], _TIMED]
    durability: Durability
    measurement: Measurement
    maintenance: Maintenance
    limits: Limits
    keys: ApiKeys
    severities: Annotated[Mapping[str, SeverityTerms], EACH_SEVERITY]
    incidents: Incidents
    status_page: StatusPage
    enterprise_contact: EnterpriseContact
    backups: Backups
    high_availability: HighAvailability
    scenarios: Mapping[str, Scenario]
    security: Security
    compliance: Compliance
    monitoring: Monitoring
    alerts: Annotated[Mapping[str, AlertGroup], Keys(Urgency)]
    alerting: Alerting
    oncall: OnCall
    deployments: Deployments
    rollback: Rollback
    capacity: Capacity
    scaling: Scaling
    growth: Mapping[str, Projection]
    cost: Cost
    support: Annotated[Mapping[str, SupportTerms], EACH_TIER]
    kpis: Kpis
    reviews: Reviews
    contacts: Contacts

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256, in hex, of the canonical content; how it was written is left out."""
        return digest_of(self)
