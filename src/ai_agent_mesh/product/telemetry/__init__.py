"""Spans of runs, tasks, agent calls and policy decisions, and the figures drawn from them."""

from ai_agent_mesh.product.telemetry import names
from ai_agent_mesh.product.telemetry.listeners import listen
from ai_agent_mesh.product.telemetry.model import (
    Attribute,
    Bucket,
    Figures,
    Kind,
    Slice,
    SpanRecord,
    StoredSpan,
    Usage,
)
from ai_agent_mesh.product.telemetry.service import Telemetry
from ai_agent_mesh.product.telemetry.store import Recorder

__all__ = [
    "Attribute",
    "Bucket",
    "Figures",
    "Kind",
    "Recorder",
    "Slice",
    "SpanRecord",
    "StoredSpan",
    "Telemetry",
    "Usage",
    "listen",
    "names",
]
