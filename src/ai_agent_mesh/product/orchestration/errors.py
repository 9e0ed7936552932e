"""Errors as the workflow language knows them: standard types, status, and the place they arose."""

from typing import Any, Literal

from ai_agent_mesh.kernel.errors import Denied, Fact, Invalid, NotFound, Unauthenticated
from ai_agent_mesh.plumbing.http.outbound import AnswerTimedOut, UpstreamFailed
from ai_agent_mesh.product.agents import InvocationTimedOut
from ai_agent_mesh.product.orchestration.definition.model import ERRORS

Json = Any  # what JSON can say

Standard = Literal[
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
]

STATUS: dict[Standard, int] = {
    "configuration": 400,
    "validation": 400,
    "expression": 400,
    "authentication": 401,
    "authorization": 403,
    "timeout": 408,
    "communication": 500,
    "runtime": 500,
}


class Raised(Exception):  # noqa: N818 - the language says that an error is raised
    """An error on its way up through the tasks; a `try` may catch it."""

    def __init__(self, error: dict[str, Json], key: str | None = None) -> None:
        super().__init__(error.get("title") or error.get("type"))
        self.error = error
        #: The journal row that holds it, when an outside task failed.
        self.key = key


def raised(
    kind: Standard, title: str, place: str, *, status: int | None = None, detail: str = ""
) -> Raised:
    """Return an error of a standard type; `place` is the task's JSON pointer."""
    error = {
        "type": ERRORS + kind,
        "status": status or STATUS[kind],
        "title": title,
        "instance": place,
    }
    return Raised({**error, "detail": detail} if detail else error)


def error_of(fact: Fact, place: str) -> dict[str, Json]:
    """Return the workflow error that a fact of the platform amounts to."""
    kind = _standard(fact)
    status = fact.evidence.get("status")
    answered = isinstance(status, int) and kind == "communication"
    error = raised(
        kind,
        type(fact).__name__,
        place,
        status=status if answered and isinstance(status, int) else _status(fact, kind),
        detail=fact.detail,
    ).error
    policies = fact.evidence.get("policies")
    return {**error, "policies": policies} if policies else error


def _standard(fact: Fact) -> Standard:  # noqa: PLR0911 - a table of types
    match fact:
        case InvocationTimedOut() | AnswerTimedOut():
            return "timeout"
        case UpstreamFailed():
            return "communication"
        case Denied():
            return "authorization"
        case Unauthenticated():
            return "authentication"
        case NotFound():
            return "configuration"
        case Invalid():
            return "validation"
    return "runtime"  # what is left is the platform's own: too busy, say


def _status(fact: Fact, kind: Standard) -> int:
    if isinstance(fact, NotFound):
        return 404
    return 502 if isinstance(fact, UpstreamFailed) and kind == "communication" else STATUS[kind]


def matches(pattern: dict[str, Json], error: dict[str, Json]) -> bool:
    """Tell whether an error has every member of a `catch.errors.with`.

    >>> matches({"status": 503}, {"type": "x", "status": 503})
    True
    >>> matches({"type": "y"}, {"type": "x"})
    False
    """
    return all(error.get(key) == value for key, value in pattern.items())
