"""Agents that speak A2A: their cards, and messages that become tasks."""

from ai_agent_mesh.adapters.a2a.caller import A2aCaller
from ai_agent_mesh.adapters.a2a.cards import A2aCards

__all__ = ["A2aCaller", "A2aCards"]
