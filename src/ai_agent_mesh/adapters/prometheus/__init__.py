"""Prometheus: the playbook's objectives and alerts as recording and alerting rules."""

from ai_agent_mesh.adapters.prometheus.names import labels, window_name
from ai_agent_mesh.adapters.prometheus.recording import windows
from ai_agent_mesh.adapters.prometheus.rendering import render

__all__ = ["labels", "render", "window_name", "windows"]
