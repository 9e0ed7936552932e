"""Language models behind any endpoint that speaks OpenAI's chat completions."""

from ai_agent_mesh.adapters.openai.caller import OpenAiCaller

__all__ = ["OpenAiCaller"]
