"""The probe: tries every service from outside, so that silence is not taken for uptime."""

from ai_agent_mesh.operations.probe.forgetting import forget
from ai_agent_mesh.operations.probe.model import Finding
from ai_agent_mesh.operations.probe.service import Probe

__all__ = ["Finding", "Probe", "forget"]
