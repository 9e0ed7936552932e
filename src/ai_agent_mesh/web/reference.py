"""The API's reference as a page, made from the published OpenAPI document."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from litestar import Response, get
from litestar.params import SkipValidation

from ai_agent_mesh.web.layout import page
from ai_agent_mesh.web.shapes import Document, illustrated

#: The sections in the order of a first visit: what each is about, and the tags that belong to it.
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Callers and keys", "Who is calling, and the keys they call with.", ("auth", "keys")),
    ("Agents", "Services that do work on request: registered once, then called.", ("agents",)),
    ("Policies", "Cedar statements that every call is put to.", ("policies",)),
    ("Workflows", "Serverless Workflow 1.0 definitions.", ("workflows",)),
    (
        "Runs and approvals",
        "Workflows under way, and what they ask of people.",
        ("runs", "approvals"),
    ),
    ("Telemetry", "What was done, how long it took, what it cost.", ("telemetry",)),
    ("Service levels", "What was promised, and what was kept.", ("slos", "sla")),
    ("Ledger", "The evidence: one entry a call, numbered and signed.", ("ledger",)),
    ("Users", "The people of a tenant and their roles.", ("users",)),
    ("Tenants", "The caller's own tenant, and for operators all of them.", ("tenant", "tenants")),
    ("The probe", "What the platform's own probe asks for.", ("probe",)),
)


#: A body longer than this is written over several lines.
_LINE = 64


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
    about: str
    permission: str | None
    category: str
    parameters: list[Document]
    request: str
    status: str
    said: str
    answer: str | None
    refusals: list[str]


@dataclass(frozen=True)
class Section:
    """Operations that belong together."""

    id: str
    name: str
    about: str
    operations: list[Operation]


@get("/docs", include_in_schema=False)
async def reference(mesh: SkipValidation[Published]) -> Response[str]:
    """Show every route, what it takes and what it can answer."""
    document = msgspec.json.decode(mesh.openapi)
    return page(
        "reference.html",
        here="/docs",
        sections=list(_sections(document)),
        refusals=_refusals(document),
        address=_address(document),
        version=mesh.version,
    )


def _sections(document: Document) -> Iterator[Section]:
    by_tag: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            shown = _operation(document, path, method.upper(), operation)
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    for name, about, tags in SECTIONS:
        found = [one for tag in tags for one in by_tag.pop(tag, [])]
        if found:
            yield Section(_anchor(name), name, about, found)
    for tag, found in by_tag.items():  # a route of a later day, until its section has words
        yield Section(_anchor(tag), tag.capitalize(), "", found)


def _operation(document: Document, path: str, method: str, operation: Document) -> Operation:
    statuses = sorted(operation["responses"])
    done = next(status for status in statuses if status < "400")
    response = operation["responses"][done]
    schema = response.get("content", {}).get("application/json", {}).get("schema")
    return Operation(
        id=_anchor(f"{method} {path}"),
        method=method,
        path=path,
        summary=operation.get("summary", ""),
        about=" ".join(operation.get("description", "").split()),
        permission=operation.get("x-mesh-permission"),
        category=operation["x-mesh-category"],
        parameters=operation.get("parameters", []),
        request=_curl(document, path, method, operation),
        status=done,
        said=response.get("description", ""),
        answer=illustrated(document, schema) if schema else None,
        refusals=[status for status in statuses if status >= "400"],
    )


def _refusals(document: Document) -> list[tuple[str, str]]:
    """Return every status that any route may be refused with, and what it says."""
    said = {
        status: response["description"]
        for item in document["paths"].values()
        for operation in item.values()
        for status, response in operation["responses"].items()
        if status >= "400"
    }
    return sorted(said.items())


def _address(document: Document) -> str:
    """Return where the API is, or the variable that stands for it where nobody has said."""
    url = document.get("servers", [{"url": "/"}])[0]["url"].rstrip("/")
    return url or "$MESH"


def _curl(document: Document, path: str, method: str, operation: Document) -> str:
    """Return a request as it would be typed."""
    words = ["curl"] if method == "GET" else ["curl -X " + method]
    words[0] += f" '{_address(document)}{path}'".replace("'$MESH", "$MESH'", 1)
    words.append('-H "Authorization: Bearer $MESH_KEY"')
    if any(one["name"] == "If-Match" for one in operation.get("parameters", [])):
        words.append("""-H 'If-Match: "1"'""")
    words += _body(operation.get("requestBody", {}).get("content", {}))
    return " \\\n  ".join(words)


def _body(content: Document) -> Iterator[str]:
    for kind, told in content.items():
        if "example" in told:
            yield f"-H 'Content-Type: {kind}'"
            yield f"--data-binary {_quoted(told['example'])}"
            return


def _quoted(example: Any) -> str:  # any JSON, or a text
    text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    if text is not example and len(text) > _LINE:
        text = json.dumps(example, ensure_ascii=False, indent=2)
    return "'" + text.replace("'", "'\\''") + "'"


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
