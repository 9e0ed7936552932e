"""One segment of a run: from where it stood until it ends, waits, or is taken over."""

from ai_agent_mesh.product.orchestration.segment.given import Equipment
from ai_agent_mesh.product.orchestration.segment.runner import Runner

__all__ = ["Equipment", "Runner"]
