"""Knows how many requests a tenant's tier allows in a minute, and how many are left."""

from ai_agent_mesh.product.identity.allowances.allowances import Allowances
from ai_agent_mesh.product.identity.allowances.model import Allowance
from ai_agent_mesh.product.identity.allowances.windows import LimitsWindow, PostgresWindow, Window

__all__ = ["Allowance", "Allowances", "LimitsWindow", "PostgresWindow", "Window"]
