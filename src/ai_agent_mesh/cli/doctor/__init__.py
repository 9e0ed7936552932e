"""`mesh doctor`: what a support person would look at first, each finding with its mend."""

from ai_agent_mesh.cli.doctor.command import app

__all__ = ["app"]
