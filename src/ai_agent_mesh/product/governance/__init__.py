"""Cedar policies of each tenant, and the gate that every agent call and outside task passes."""

from ai_agent_mesh.product.governance.facts import (
    EndpointMalformed,
    Forbidden,
    PolicyInvalid,
    PolicyMissing,
    TooManyPolicies,
)
from ai_agent_mesh.product.governance.gate import Gate
from ai_agent_mesh.product.governance.model import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    Decision,
    Effect,
    EndpointRef,
    Policy,
    PolicyRef,
    PolicyVersion,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.places import schema_text
from ai_agent_mesh.product.governance.service import Policies, starter

__all__ = [
    "Action",
    "ActorRef",
    "AgentRef",
    "Context",
    "Decision",
    "Effect",
    "EndpointMalformed",
    "EndpointRef",
    "Forbidden",
    "Gate",
    "Policies",
    "Policy",
    "PolicyInvalid",
    "PolicyMissing",
    "PolicyRef",
    "PolicyVersion",
    "Question",
    "TooManyPolicies",
    "WorkflowRef",
    "schema_text",
    "starter",
]
