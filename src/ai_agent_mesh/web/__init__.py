"""The pages: server-rendered, without scripts, nothing from elsewhere."""

from ai_agent_mesh.web.pages import routes

__all__ = ["routes"]
