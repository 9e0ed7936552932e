"""Calls to addresses that a tenant chose: what may be reached, and how much of it is believed."""

from ai_agent_mesh.plumbing.http.outbound.addresses import AddressPolicy, Network, NetworksInvalid
from ai_agent_mesh.plumbing.http.outbound.client import guarded_client
from ai_agent_mesh.plumbing.http.outbound.facts import (
    AddressRefused,
    AnswerTimedOut,
    AnswerTooLarge,
    AnswerUnreadable,
    ConnectionBroken,
    NameUnknown,
    OutboundBusy,
    SchemeRefused,
    TooManyRedirects,
    Unreachable,
    UpstreamFailed,
    UrlUnusable,
)
from ai_agent_mesh.plumbing.http.outbound.pinned import Resolver, resolve

__all__ = [
    "AddressPolicy",
    "AddressRefused",
    "AnswerTimedOut",
    "AnswerTooLarge",
    "AnswerUnreadable",
    "ConnectionBroken",
    "NameUnknown",
    "Network",
    "NetworksInvalid",
    "OutboundBusy",
    "Resolver",
    "SchemeRefused",
    "TooManyRedirects",
    "Unreachable",
    "UpstreamFailed",
    "UrlUnusable",
    "guarded_client",
    "resolve",
]
