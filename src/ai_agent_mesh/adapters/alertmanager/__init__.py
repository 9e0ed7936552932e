"""Alertmanager: whom each urgency of alert tells, from the playbook."""

from ai_agent_mesh.adapters.alertmanager.rendering import render

__all__ = ["render"]
