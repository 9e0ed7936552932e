"""The OpenAPI document: Litestar's, with paths as callers write them and every refusal named."""

from collections.abc import Iterable, Iterator
from typing import Any

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
    429: "The tier's rate is used up; Retry-After says for how long",
    500: "The platform failed",
    502: "What the platform called failed",
    503: "The platform cannot answer now",
    504: "What the platform called did not answer in time",
}

_HEADERS: Document = {
    "Mesh-Receipt": "The id and the SHA-256 of this call's ledger entry",
    "X-Request-Id": "The id of this request",
    "traceparent": "The W3C trace context of this request",
    "RateLimit": "What is left of the tier's rate, and when it is full again",
    "RateLimit-Policy": "The tier's rate",
}


def document(generated: Document, routes: Iterable[Route] = ROUTES) -> Document:
    """Return the published document made from what Litestar generated."""
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
    return {**generated, "paths": paths, "components": components, "security": [{"key": []}]}


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
    for response in responses.values():
        response["headers"] = {**response.get("headers", {}), **headers}
    for status in _refusals(route):
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


def _refusals(route: Route) -> Iterator[int]:
    """Name every status that a route can be refused with."""
    yield from (400, 401, 408, 413, 415, 429, 500, 503)
    if route.permission:
        yield 403
    if "{" in route.template or route.method in {"POST", "PUT"}:
        yield 404
    if route.method != "GET":
        yield 409
    if route.method in {"PATCH", "PUT", "DELETE"}:
        yield from (412, 428)
    if route.template.startswith("/v1/agents") and route.method == "POST":
        yield from (502, 504)
