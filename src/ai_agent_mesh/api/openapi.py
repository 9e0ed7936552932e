"""The OpenAPI document: Litestar's, with paths as callers write them and every refusal named."""

from collections.abc import Iterable, Iterator
from typing import Any

from ai_agent_mesh.api.examples import BODIES, YAML
from ai_agent_mesh.api.table import ROUTES, Route

# An OpenAPI document is JSON of any shape.
Document = dict[str, Any]

_PROBLEM: Document = {
    "type": "object",
    "description": "RFC 9457 problem details; evidence stands beside the members named here.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/agent-missing"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The id of the request."},
        "errors": {
            "type": "array",
            "description": "Every mistake of the request, each with its place.",
            "items": {
                "type": "object",
                "required": ["place", "reason"],
                "properties": {"place": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}

_SAID: dict[int, str] = {
    400: "The request does not fit the route",
    401: "No valid key came with the request",
    403: "The caller's role or a policy does not allow it",
    404: "There is no such thing for this tenant",
    408: "The body did not arrive in time",
    409: "The present state does not allow it",
    412: "It has changed since the version in If-Match",
    413: "The body is too large",
    415: "The content type or encoding is not accepted",
    428: "If-Match is needed",
    431: "The headers are too many or too large",
    429: "The tier's rate is used up; Retry-After says for how long",
    500: "The platform failed",
    502: "What the platform called failed",
    503: "The platform cannot answer now",
    504: "What the platform called did not answer in time",
}

_DONE: dict[str, str] = {
    "200": "Done",
    "201": "Made",
    "202": "Accepted for good, and worked off soon after",
    "204": "Done; the answer is empty",
}

#: What parameters mean wherever they stand, unless a route says something of its own.
_PARAMETERS: dict[str, str] = {
    "limit": "How many items a page holds at the most, 1 to 200",
    "cursor": "The next_cursor of the page before; left out for the first page",
    "kind": "Of this kind alone",
    "health": "unknown, healthy or unhealthy",
    "name_prefix": "Whose name begins so",
    "enabled": "true: those in force alone; false: the others",
    "workflow": "Of the workflow with this name",
    "agent_id": "An agent's id, or its name",
    "key_id": "A key's id, key_…",
    "user_id": "A user's id, usr_…",
    "tenant_id": "A tenant's id, tnt_…",
    "run_id": "A run's id, run_…",
    "approval_id": "An approval's id, apr_…",
    "maintenance_id": "A maintenance's id, mnt_…",
    "incident_id": "An incident's id, inc_…",
    "subscription_id": "A subscription's id, sub_…",
    "trace_id": "A W3C trace id, 32 hexadecimal digits",
    "name": "The name that it was kept under",
    "month": "A calendar month in UTC, such as 2026-11",
    "If-Match": "The ETag that was read; refused with 412 when it has changed since",
}

_HEADERS: Document = {
    "Mesh-Receipt": "The id and the SHA-256 of this call's ledger entry",
    "X-Request-Id": "The id of this request",
    "traceparent": "The W3C trace context of this request",
    "RateLimit": "What is left of the tier's rate, and when it is full again",
    "RateLimit-Policy": "The tier's rate",
}


def _any_of(part: Any) -> Any:  # any part of a JSON document
    """Return it with `anyOf` for Litestar's `oneOf`: 5 is an integer and a number at once."""
    if isinstance(part, dict):
        return {"anyOf" if k == "oneOf" else k: _any_of(v) for k, v in part.items()}
    return [_any_of(item) for item in part] if isinstance(part, list) else part


def document(
    generated: Document, routes: Iterable[Route] = ROUTES, *, address: str = "/"
) -> Document:
    """Return the published document made from what Litestar generated, for the API at `address`."""
    generated, routes = _any_of(generated), tuple(routes)
    order = {route.template: place for place, route in reversed(list(enumerate(routes)))}
    by_inner = {(route.inner, route.method): route for route in routes}
    paths: Document = {}
    for path, item in generated["paths"].items():
        for method, operation in item.items():
            route = by_inner.get((_plain(path), method.upper()))
            if route is None or not isinstance(operation, dict):
                continue
            _describe(operation, route)
            paths.setdefault(route.template, {})[method] = operation
    components = generated.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return {
        **generated,
        "servers": [{"url": address}],
        "paths": dict(sorted(paths.items(), key=lambda pair: order[pair[0]])),
        "components": components,
        "security": [{"key": []}],
    }


def _plain(path: str) -> str:
    """Return Litestar's path without the types of its parameters."""
    return "/".join(
        "{" + part[1:-1].partition(":")[0] + "}" if part.startswith("{") else part
        for part in path.split("/")
    )


def _describe(operation: Document, route: Route) -> None:
    operation["tags"] = [route.template.split("/")[2].partition(":")[0]]
    operation["x-mesh-service"] = str(route.service)
    operation["x-mesh-category"] = str(route.category)
    if route.permission:
        operation["x-mesh-permission"] = route.permission
    headers = {
        name: {"description": said, "schema": {"type": "string"}} for name, said in _HEADERS.items()
    }
    responses = operation.setdefault("responses", {})
    responses.pop("400", None)
    for status, response in responses.items():
        response["description"] = _DONE.get(status, response["description"])
        response["headers"] = {**response.get("headers", {}), **headers}
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        usual = _PARAMETERS.get(parameter["name"], "")
        if parameter["name"] == "If-Match" or not parameter.get("description"):
            parameter["description"] = usual
    _illustrate(operation, route)
    versioned = any(one["name"] == "If-Match" for one in parameters)
    for status in _refusals(route, versioned=versioned):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(status)] = {"description": _SAID[status], "content": content}
    if route.creates:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Makes a repeated request answer as the first one did.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )


def _illustrate(operation: Document, route: Route) -> None:
    """Put the example of the route's body where tools look for it."""
    if route.name in YAML:
        shape = {"schema": {"type": "string"}, "example": YAML[route.name]}
        content = {"application/yaml": shape, "application/json": {"schema": {"type": "object"}}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.name in BODIES:
        operation["requestBody"]["content"]["application/json"]["example"] = BODIES[route.name]


def _refusals(route: Route, *, versioned: bool) -> Iterator[int]:
    """Name every status that a route can be refused with."""
    yield from (400, 401, 408, 413, 415, 429, 431, 500, 503)
    if route.permission:
        yield 403
    if "{" in route.template or route.method in {"POST", "PUT"}:
        yield 404
    if route.method != "GET":
        yield 409
    if versioned:
        yield from (412, 428)
    if route.template.startswith("/v1/agents") and route.method == "POST":
        yield from (502, 504)
