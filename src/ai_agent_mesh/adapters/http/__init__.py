"""Agents behind a plain HTTP endpoint, and the exchange that every HTTP caller is made of."""

from ai_agent_mesh.adapters.http.caller import HttpCaller
from ai_agent_mesh.adapters.http.exchange import (
    checked_status,
    exchange,
    failure_of,
    headers_of,
)

__all__ = ["HttpCaller", "checked_status", "exchange", "failure_of", "headers_of"]
