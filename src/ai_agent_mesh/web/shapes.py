"""What a JSON schema looks like as a document: each value in the place where it would stand."""

import json
from typing import Any

# An OpenAPI document and its schemas are JSON of any shape.
Document = dict[str, Any]

_DEEPEST = 6
_WORDS = {"date-time": "2026-11-01T12:00:00Z", "date": "2026-11-01"}


def illustrated(document: Document, schema: Document) -> str:
    """Return the shape that a schema of the document describes, as indented JSON."""
    return json.dumps(_shape(document, schema, 0), indent=2, ensure_ascii=False)


def _shape(document: Document, schema: Document, depth: int) -> object:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _shape(document, document["components"]["schemas"].get(name, {}), depth)
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            real = [one for one in schema[key] if one.get("type") != "null"]
            return _shape(document, real[0] if real else {}, depth)
    return _value(document, schema, depth)


def _value(document: Document, schema: Document, depth: int) -> object:
    kind = schema.get("type")
    if kind == "object":
        return _object(document, schema, depth)
    if kind == "array":
        return [_shape(document, schema.get("items", {}), depth + 1)]
    if kind == "string":
        return _WORDS.get(schema.get("format", ""), "…")
    return {"integer": 0, "number": 0, "boolean": schema.get("default", True)}.get(str(kind), {})


def _object(document: Document, schema: Document, depth: int) -> object:
    if depth >= _DEEPEST:
        return {}
    return {
        name: _shape(document, inner, depth + 1)
        for name, inner in schema.get("properties", {}).items()
    }
