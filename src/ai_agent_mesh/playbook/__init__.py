"""Every promise, limit, clock, threshold and price, read from YAML into one frozen value."""

from ai_agent_mesh.playbook.comparing import Difference, differences, promising
from ai_agent_mesh.playbook.loading import PlaybookInvalid, default, load, parse, recalled
from ai_agent_mesh.playbook.markdown import markdown
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.schema.incidents import Stage
from ai_agent_mesh.playbook.schema.kinds import Severity
from ai_agent_mesh.playbook.schema.monitoring import (
    AlertGroup,
    Alerting,
    CrashLoop,
    Signal,
    Tells,
    Urgency,
)
from ai_agent_mesh.playbook.schema.promises import (
    ApiKeys,
    Document,
    Latency,
    Limits,
    Maintenance,
    MeasuredWindow,
    Measurement,
    Tier,
)
from ai_agent_mesh.playbook.units import Condition, Sense
from ai_agent_mesh.playbook.writing import Plain, canonical, flat, plain

__all__ = [
    "AlertGroup",
    "Alerting",
    "ApiKeys",
    "Condition",
    "CrashLoop",
    "Difference",
    "Document",
    "Latency",
    "Limits",
    "Maintenance",
    "MeasuredWindow",
    "Measurement",
    "Plain",
    "Playbook",
    "PlaybookInvalid",
    "Sense",
    "Severity",
    "Signal",
    "Stage",
    "Tells",
    "Tier",
    "Urgency",
    "canonical",
    "default",
    "differences",
    "flat",
    "load",
    "markdown",
    "parse",
    "plain",
    "promising",
    "recalled",
]
