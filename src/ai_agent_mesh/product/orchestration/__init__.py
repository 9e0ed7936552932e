"""Workflows of a tenant: defined in the Serverless Workflow language, run durably, step by step."""

from ai_agent_mesh.product.orchestration.definition import (
    Definition,
    DefinitionInvalid,
    Task,
    check_definition,
)
from ai_agent_mesh.product.orchestration.expressions import ExpressionPool, Expressions
from ai_agent_mesh.product.orchestration.facts import (
    ApprovalDecided,
    ApprovalMissing,
    RunEnded,
    RunMissing,
    RunNotResumable,
    WorkflowDisabled,
    WorkflowMissing,
    WorkflowVersionTaken,
)
from ai_agent_mesh.product.orchestration.model import Approval, Run, RunShown, RunTask, Workflow
from ai_agent_mesh.product.orchestration.segment import Equipment, Runner
from ai_agent_mesh.product.orchestration.service import Approvals, Runs, Workflows
from ai_agent_mesh.product.orchestration.store import forget_runs, runs_by_state

__all__ = [
    "Approval",
    "ApprovalDecided",
    "ApprovalMissing",
    "Approvals",
    "Definition",
    "DefinitionInvalid",
    "Equipment",
    "ExpressionPool",
    "Expressions",
    "Run",
    "RunEnded",
    "RunMissing",
    "RunNotResumable",
    "RunShown",
    "RunTask",
    "Runner",
    "Runs",
    "Task",
    "Workflow",
    "WorkflowDisabled",
    "WorkflowMissing",
    "WorkflowVersionTaken",
    "Workflows",
    "check_definition",
    "forget_runs",
    "runs_by_state",
]
