"""What Litestar and the routes raise, told to the caller as problem details."""

import re
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from ai_agent_mesh.api.exchange import Exchange
from ai_agent_mesh.api.facts import (
    MethodNotAllowed,
    RequestInvalid,
    RouteMissing,
    Unexpected,
    UnsupportedMediaType,
)
from ai_agent_mesh.kernel.errors import Fact, Fault
from ai_agent_mesh.plumbing.http import problem_of
from ai_agent_mesh.plumbing.http.problems import MEDIA_TYPE
from ai_agent_mesh.sla import Fault as Blame

log = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]  # the types of a user, an auth and a state that we do not use

# msgspec ends a message with the place: "Expected `str`, got `int` - at `$.data.name`".
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
# What it says of a whole object belongs to the field it names.
_FIELD = {
    re.compile(r"Object contains unknown field `(.+)`"): "is not a field here",
    re.compile(r"Object missing required field `(.+)`"): "is required",
}


def of_fact(request: AnyRequest, fact: Fact) -> Response[bytes]:
    """Answer with the problem document of a fact."""
    exchange: Exchange | None = request.scope.get("mesh.exchange")  # type: ignore[assignment] # ours
    problem = problem_of(fact, exchange.request_id if exchange else None)
    request.scope["mesh.reason"] = problem.type.rpartition("/")[2]  # type: ignore[typeddict-unknown-key] # ours
    if fact.upstream and exchange is not None and exchange.unit is not None:
        exchange.unit.fault = Blame.UPSTREAM
    return Response(problem.encode(), status_code=problem.status, media_type=MEDIA_TYPE)


def of_http(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what Litestar refused in our own words."""
    return of_fact(request, _fact(request, error))


def of_bug(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Say nothing of a bug to the caller, and everything to the log."""
    log.error("request.failed", path=request.scope["path"], exc_info=error)
    return of_fact(request, Unexpected())


def _fact(request: AnyRequest, error: HTTPException) -> Fact:
    if isinstance(error, ValidationException):
        faults = tuple(_fault(item) for item in _items(error.extra))
        reason = "; ".join(f"{f.place} {f.reason}".strip() for f in faults) or error.detail
        return RequestInvalid(reason=reason, faults=faults)
    match error.status_code:
        case 404:
            return RouteMissing(path=_path(request))
        case 405:
            return MethodNotAllowed(path=_path(request), method=request.scope["method"])
        case 415:
            return UnsupportedMediaType()
        case status if status < 500:
            return RequestInvalid(reason=error.detail, faults=[Fault("", error.detail)])
        case _:
            log.error("request.failed", path=request.scope["path"], exc_info=error)
            return Unexpected()


def _path(request: AnyRequest) -> str:
    """Return the path as the caller wrote it."""
    exchange: Exchange | None = request.scope.get("mesh.exchange")  # type: ignore[assignment] # ours
    return exchange.path if exchange else request.scope["path"]


def _items(extra: object) -> list[dict[str, str]]:
    return [item for item in extra if isinstance(item, dict)] if isinstance(extra, list) else []


def _fault(item: dict[str, str]) -> Fault:
    """Turn Litestar's item into a place and a reason."""
    message = str(item.get("message", ""))
    found = _PLACE.search(message)
    inside = found[1] if found else ""
    key = str(item.get("key", ""))
    place = ".".join(part for part in (key, inside) if part).removeprefix("data")
    place = re.sub(r"\[(\d+)\]", r".\1", place).strip(".").replace(".", "/")
    text = message[: found.start()] if found else message
    for pattern, reason in _FIELD.items():
        if named := pattern.fullmatch(text):
            place, text = f"{place}/{named[1]}".strip("/"), reason
    if item.get("source") in {"query", "header", "path", "cookie"}:
        return Fault(place, text)
    return Fault(f"/{place}", text)
