"""`mesh up`: everything on one machine, started by one command and kept running by it."""

from ai_agent_mesh.cli.up.command import app

__all__ = ["app"]
