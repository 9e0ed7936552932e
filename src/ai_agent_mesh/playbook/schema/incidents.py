"""Section 2: severities, the way of an incident, and who is told."""

from enum import StrEnum

from ai_agent_mesh.playbook.schema.kinds import (
    Clocks,
    Duration,
    Response,
    Section,
    Severity,
    Text,
    Url,
    Words,
)


class SeverityTerms(Section, frozen=True):
    """When a severity applies and the clocks it sets."""

    title: Text
    when: Words
    respond_within: Response
    resolve_within: Duration
    update_every: Duration


class Stage(StrEnum):
    """A stage of an incident's life."""

    DETECTION = "detection"
    TRIAGE = "triage"
    INVESTIGATION = "investigation"
    MITIGATION = "mitigation"
    RESOLUTION = "resolution"
    POST_MORTEM = "post_mortem"


class Detection(Section, frozen=True):
    """How incidents come to notice."""

    monitors: Words
    customers: Words
    team: Text


class Triage(Section, frozen=True):
    """What happens first, and how soon."""

    within: Clocks
    steps: Words


class Investigation(Section, frozen=True):
    """What is gathered and looked for."""

    gather: Words
    steps: Words


class Mitigation(Section, frozen=True):
    """How the harm is stopped."""

    steps: Words


class Resolution(Section, frozen=True):
    """How it is ended for good."""

    steps: Words


class PostMortem(Section, frozen=True):
    """What is written afterwards, counted from resolution."""

    within: Duration
    holds: Words


class Incidents(Section, frozen=True):
    """The way of an incident from its detection to its post-mortem."""

    lifecycle: tuple[Stage, ...]
    channel: Text
    detection: Detection
    triage: Triage
    investigation: Investigation
    mitigation: Mitigation
    resolution: Resolution
    post_mortem: PostMortem


class StatusPage(Section, frozen=True):
    """Where everybody sees how the platform does."""

    url: Url
    offers: Words


class EnterpriseContact(Section, frozen=True):
    """How enterprise customers are reached during incidents."""

    slack_channel: Text
    phone_for: tuple[Severity, ...]
    account_manager: Text
