"""One segment of a run: from where it stood until it ends, waits, or is taken over."""

from ai_agent_mesh.product.orchestration.segment.runner import Equipment, Runner

__all__ = ["Equipment", "Runner"]
