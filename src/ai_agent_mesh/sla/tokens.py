"""The words that figures are kept under: services, endpoint categories, tiers, methods."""

from enum import StrEnum


class Service(StrEnum):
    """A core service that is judged on its own."""

    API = "api"
    ORCHESTRATION = "orchestration"
    GOVERNANCE = "governance"
    TELEMETRY = "telemetry"


class Category(StrEnum):
    """A kind of endpoint; every one but `other` has latency targets."""

    AUTHENTICATION = "authentication"
    AGENT_CRUD = "agent_crud"
    WORKFLOW_EXECUTION = "workflow_execution"
    POLICY_EVALUATION = "policy_evaluation"
    TELEMETRY_QUERY = "telemetry_query"
    OTHER = "other"


class TierName(StrEnum):
    """What a tenant has subscribed to."""

    FREE = "free"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


class Method(StrEnum):
    """A way to turn minutes of valid and bad requests into an availability."""

    PERIOD = "period"
    INTERVALS = "intervals"
    ALL_FAIL = "all-fail"
    REQUESTS = "requests"


class Denominator(StrEnum):
    """What excluded minutes leave: numerator and denominator, or the numerator alone."""

    REDUCED = "reduced"
    FULL = "full"
