"""Grafana: a dashboard of the playbook's objectives, alerts and watched figures."""

from ai_agent_mesh.adapters.grafana.rendering import render

__all__ = ["render"]
