"""Sections 9 and 10: support, what is measured to improve, reviews and contacts."""

from collections.abc import Mapping
from typing import Annotated

from ai_agent_mesh.playbook.schema.kinds import (
    EACH_SEVERITY,
    Cadence,
    Clocks,
    Duration,
    Email,
    Response,
    Section,
    Share,
    Text,
    Url,
    Whole,
    Words,
)


class Meeting(Section, frozen=True):
    """A meeting that a customer is offered."""

    title: Text
    every: Cadence


class SupportTerms(Section, frozen=True):
    """How soon a tier's tickets are answered, and by which ways."""

    response: Annotated[Mapping[str, Response], EACH_SEVERITY]
    channels: Words
    meetings: tuple[Meeting, ...]
    email: Email | None = None
    phone_hours: Text | None = None


class PlatformKpis(Section, frozen=True):
    """How healthy the platform is."""

    uptime: Share
    detect_within: Duration
    resolve_within: Clocks


class TicketKpis(Section, frozen=True):
    """How soon tickets are done."""

    professional: Duration
    enterprise_sev1: Duration


class CustomerKpis(Section, frozen=True):
    """How content customers are."""

    nps_above: Whole
    tickets_resolved_within: TicketKpis


class EfficiencyKpis(Section, frozen=True):
    """How well changes flow."""

    deployments: Cadence
    change_failure_below: Share
    to_production_within: Duration


class Kpis(Section, frozen=True):
    """What is measured to become better."""

    platform: PlatformKpis
    customers: CustomerKpis
    efficiency: EfficiencyKpis


class Reviews(Section, frozen=True):
    """What is looked at together, and how often."""

    weekly: Words
    monthly: Words
    quarterly: Words


class Contacts(Section, frozen=True):
    """How to reach operations."""

    operations: Email
    oncall_hotline: Text
    status_page: Url
