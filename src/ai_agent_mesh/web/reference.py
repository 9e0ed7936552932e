"""The API's reference as a page, made from the published OpenAPI document."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from litestar import Response, get
from litestar.params import SkipValidation

from ai_agent_mesh.web.layout import page

# An OpenAPI document is JSON of any shape.
Document = dict[str, Any]


class Published(Protocol):
    """What the reference asks of the wired application."""

    openapi: bytes
    version: str


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    permission: str | None
    category: str
    parameters: list[Document]
    body: str | None
    answers: list[tuple[str, str]]
    refusals: list[tuple[str, str]]


@get("/docs", include_in_schema=False)
async def reference(mesh: SkipValidation[Published]) -> Response[str]:
    """Show every route, what it takes and what it can answer."""
    document = msgspec.json.decode(mesh.openapi)
    sections: dict[str, list[Operation]] = {}
    for tag, operation in _operations(document):
        sections.setdefault(tag, []).append(operation)
    return page("reference.html", here="/docs", sections=sections, version=mesh.version)


def _operations(document: Document) -> Iterator[tuple[str, Operation]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield operation["tags"][0], _operation(document, path, method, operation)


def _operation(document: Document, path: str, method: str, operation: Document) -> Operation:
    answers = [
        (status, response.get("description", ""))
        for status, response in sorted(operation["responses"].items())
    ]
    return Operation(
        id=f"{method}-{path.strip('/').translate(str.maketrans('/{}:', '----'))}",
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        permission=operation.get("x-mesh-permission"),
        category=operation["x-mesh-category"],
        parameters=operation.get("parameters", []),
        body=_example(document, operation),
        answers=[pair for pair in answers if pair[0] < "400"],
        refusals=[pair for pair in answers if pair[0] >= "400"],
    )


def _example(document: Document, operation: Document) -> str | None:
    """Return the shape of the request's body as an example document."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else json.dumps(_shape(document, schema, 0), indent=2)


def _shape(document: Document, schema: Document, depth: int) -> object:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _shape(document, document["components"]["schemas"].get(name, {}), depth + 1)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            real = [one for one in schema[key] if one.get("type") != "null"]
            return _shape(document, real[0] if real else {}, depth)
    if schema.get("type") == "object" and depth < 5:
        return {
            name: _shape(document, inner, depth + 1)
            for name, inner in schema.get("properties", {}).items()
        }
    if schema.get("type") == "array":
        return [_shape(document, schema.get("items", {}), depth + 1)]
    return schema.get("default", schema.get("format", schema.get("type", "any JSON")))
