"""Interprets a definition over its run's journal."""

from ai_agent_mesh.product.orchestration.interpreter.interpreter import Facts, Interpreter

__all__ = ["Facts", "Interpreter"]
