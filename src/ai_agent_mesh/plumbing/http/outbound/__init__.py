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
    RedirectRefused,
    SchemeRefused,
    TooManyRedirects,
    Unreachable,
    UpstreamFailed,
    UrlUnusable,
)
from ai_agent_mesh.plumbing.http.outbound.pinned import Resolver, resolve
from ai_agent_mesh.plumbing.http.outbound.reading import excerpt, said, wholesome, words

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
    "RedirectRefused",
    "Resolver",
    "SchemeRefused",
    "TooManyRedirects",
    "Unreachable",
    "UpstreamFailed",
    "UrlUnusable",
    "excerpt",
    "guarded_client",
    "resolve",
    "said",
    "wholesome",
    "words",
]
