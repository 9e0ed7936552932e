"""The worker's door: one process that takes runs out of the queue and fires scheduled work."""

from ai_agent_mesh.worker.process import main, serve

__all__ = ["main", "serve"]
