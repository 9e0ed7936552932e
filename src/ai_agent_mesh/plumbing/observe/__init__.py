"""How a process tells what it does: structured logs, metrics, and the trace it works in."""

from ai_agent_mesh.plumbing.observe.indicators import Exclusion
from ai_agent_mesh.plumbing.observe.logs import configure, get_logger
from ai_agent_mesh.plumbing.observe.metrics import Metrics
from ai_agent_mesh.plumbing.observe.trace import Trace, bound, current

__all__ = ["Exclusion", "Metrics", "Trace", "bound", "configure", "current", "get_logger"]
