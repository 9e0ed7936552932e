"""Facts as RFC 9457 problem details, and the one table of status codes."""

import re

import msgspec

from ai_agent_mesh.kernel.errors import (
    Conflict,
    Denied,
    Exhausted,
    Fact,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
    kind_of,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: dict[type[Fact], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Exhausted: 429,
    Unavailable: 503,
}

# Facts that HTTP has a closer word for, by name.
_NEARER: dict[str, int] = {
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "RequestTimedOut": 408,
    "PreconditionFailed": 412,
    "BodyTooLarge": 413,
    "UnsupportedEncoding": 415,
    "UnsupportedMediaType": 415,
    "PreconditionRequired": 428,
    "HeadersTooLarge": 431,
    "Unexpected": 500,
}

_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "errors"})


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem as it travels: `type` names the fact, `evidence` its fields."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[dict[str, str], ...] = ()
    evidence: dict[str, object] = {}

    def encode(self) -> bytes:
        """Return it as a JSON document; the evidence stands beside the standard members."""
        body: dict[str, object] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.instance:
            body["instance"] = self.instance
        if self.errors:
            body["errors"] = self.errors
        body.update({k: v for k, v in self.evidence.items() if k not in _RESERVED})
        return msgspec.json.encode(body, enc_hook=str)


def status_of(fact: Fact) -> int:
    """Return the HTTP status that a fact travels under; a fault beyond us is 502, a wait 504."""
    name = next((n.__name__ for n in type(fact).__mro__ if n.__name__ in _NEARER), None)
    if name is not None:
        return _NEARER[name]
    if fact.upstream:
        return 504 if "timed" in type(fact).__name__.lower() else 502
    return _STATUS[kind_of(fact)]


def problem_of(fact: Fact, instance: str | None = None) -> Problem:
    """Describe a fact for its caller; `instance` is the request's id."""
    name = type(fact).__name__
    faults = fact.faults if isinstance(fact, Invalid) else ()
    return Problem(
        type=f"/problems/{kebab(name)}",
        title=kebab(name).replace("-", " ").capitalize(),
        status=status_of(fact),
        detail=fact.detail,
        instance=instance,
        errors=tuple({"place": fault.place, "reason": fault.reason} for fault in faults),
        evidence=fact.evidence,
    )


def kebab(name: str) -> str:
    """Return a class name in lower case with hyphens.

    >>> kebab("AgentMissing")
    'agent-missing'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
