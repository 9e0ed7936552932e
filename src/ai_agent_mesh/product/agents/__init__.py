"""Agents of a tenant: registered, described, checked, and called under policy."""

from ai_agent_mesh.product.agents.facts import (
    AgentBusy,
    AgentFailed,
    AgentInvalid,
    AgentMissing,
    AgentNameTaken,
    AgentRefused,
    CardUnusable,
    InvocationInvalid,
    InvocationTimedOut,
)
from ai_agent_mesh.product.agents.health import HealthChecks, check_health
from ai_agent_mesh.product.agents.invoker import Invoker, Outcome, Prepared, answer_of
from ai_agent_mesh.product.agents.model import (
    Agent,
    Answer,
    Asker,
    Card,
    Change,
    Credential,
    Draft,
    Filters,
    Health,
    HealthState,
    Invocation,
    Kind,
    Message,
    Price,
    Reply,
    Target,
    Usage,
)
from ai_agent_mesh.product.agents.ports import AgentCaller, CardReader, Work
from ai_agent_mesh.product.agents.rules import origin_of
from ai_agent_mesh.product.agents.service import Agents, Registrar
from ai_agent_mesh.product.agents.store import registered
from ai_agent_mesh.product.agents.views import AgentView, filters_of, view

__all__ = [
    "Agent",
    "AgentBusy",
    "AgentCaller",
    "AgentFailed",
    "AgentInvalid",
    "AgentMissing",
    "AgentNameTaken",
    "AgentRefused",
    "AgentView",
    "Agents",
    "Answer",
    "Asker",
    "Card",
    "CardReader",
    "CardUnusable",
    "Change",
    "Credential",
    "Draft",
    "Filters",
    "Health",
    "HealthChecks",
    "HealthState",
    "Invocation",
    "InvocationInvalid",
    "InvocationTimedOut",
    "Invoker",
    "Kind",
    "Message",
    "Outcome",
    "Prepared",
    "Price",
    "Registrar",
    "Reply",
    "Target",
    "Usage",
    "Work",
    "answer_of",
    "check_health",
    "filters_of",
    "origin_of",
    "registered",
    "view",
]
