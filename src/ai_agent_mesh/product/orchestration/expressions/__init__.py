"""Runtime expressions: jq, evaluated in child processes that can reach and use almost nothing."""

from ai_agent_mesh.product.orchestration.expressions.model import (
    ExpressionFailed,
    Expressions,
    Scope,
)
from ai_agent_mesh.product.orchestration.expressions.pool import Bounds, ExpressionPool

__all__ = ["Bounds", "ExpressionFailed", "ExpressionPool", "Expressions", "Scope"]
