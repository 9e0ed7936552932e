"""OpenSLO: the playbook's objectives in the vendor-neutral form."""

from ai_agent_mesh.adapters.openslo.rendering import render

__all__ = ["render"]
