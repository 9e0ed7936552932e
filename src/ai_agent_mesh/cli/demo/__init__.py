"""`mesh demo`: the whole story on fresh data, every figure of it the system's own."""

from ai_agent_mesh.cli.demo.command import app

__all__ = ["app"]
