"""Reads a whole definition: header, reusables, tasks; and says every mistake with its place."""

import re
from typing import Any

from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.product.orchestration.definition.document import (
    Document,
    Unreadable,
    child,
    read_document,
)
from ai_agent_mesh.product.orchestration.definition.model import Definition, Template
from ai_agent_mesh.product.orchestration.definition.reader import Reader
from ai_agent_mesh.product.orchestration.definition.tasks import read_tasks, read_timeout
from ai_agent_mesh.product.orchestration.expressions import Expressions

Json = Any  # what JSON can say

TOP = ("document", "do", "input", "output", "timeout", "use")
TOP_NOT_BUILT = ("schedule", "evaluate")
HEADER = ("dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata")
USE = ("errors", "retries", "timeouts")
USE_NOT_BUILT = ("authentications", "catalogs", "extensions", "functions", "secrets")
MOST_FAULTS = 100

_DSL = re.compile(r"1\.0\.\d+(-[0-9A-Za-z.-]+)?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


class DefinitionInvalid(Invalid):
    """The workflow definition has {count} mistakes."""

    def __init__(self, faults: list[Fault]) -> None:
        shown = faults[:MOST_FAULTS]
        if len(faults) == 1:
            super().__init__("The workflow definition has a mistake.", faults=shown)
        else:
            super().__init__(faults=shown, count=len(faults))


async def check_definition(text: str, expressions: Expressions) -> Definition:
    """Read a definition that somebody hands in, and compile its expressions.

    Raises:
        DefinitionInvalid: with every mistake, each at its JSON pointer and line.
    """
    try:
        document = read_document(text)
    except Unreadable as error:
        raise DefinitionInvalid([error.fault]) from error
    reader = Reader(document)
    definition = _definition(reader)
    programs = [(program.text, program.names) for program in reader.programs]
    complaints = await expressions.check(programs) if programs else []
    for program, complaint in zip(reader.programs, complaints, strict=True):
        if complaint:
            reader.wrong(program.place, f"not a jq expression: {complaint}")
    if reader.faults:
        raise DefinitionInvalid(sorted(reader.faults, key=lambda fault: _order(document, fault)))
    return definition


def load_definition(source: Json) -> Definition:
    """Read a definition that was checked when it was written."""
    return _definition(Reader(Document(source, {})))


def _order(document: Document, fault: Fault) -> tuple[int, int]:
    return document.marks.get(fault.place, (0, 0))


def _definition(reader: Reader) -> Definition:
    source = reader.document.value
    if isinstance(source, dict):
        for key in TOP_NOT_BUILT:
            if key in source:
                reader.wrong(child("", key), f"{key!r} is not built yet")
    known = (*TOP, *TOP_NOT_BUILT)
    top = reader.members(source, "", known, ("document", "do"))
    header = reader.members(top.get("document", {}), "/document", HEADER, HEADER[:4])
    _use(reader, top.get("use", {}))
    return Definition(
        namespace=_matching(reader, header, "namespace", _NAME, "lower-case letters, digits and -"),
        name=_matching(reader, header, "name", _NAME, "lower-case letters, digits and -"),
        version=_matching(reader, header, "version", _VERSION, "a semantic version such as 1.0.0"),
        title=_header(reader, header),
        labels=_labels(reader, header.get("tags", {})),
        tasks=read_tasks(reader, top["do"], "/do") if "do" in top else (),
        input=_transform(reader, top.get("input"), "/input", "from"),
        output=_transform(reader, top.get("output"), "/output", "as"),
        timeout_s=read_timeout(reader, top.get("timeout"), "/timeout"),
        source=source,
    )


def _header(reader: Reader, header: Any) -> str:  # a mapping out of the document
    _matching(reader, header, "dsl", _DSL, "a version 1.0.x of the language")
    return str(header.get("title", ""))


def _labels(reader: Reader, value: Json) -> dict[str, str]:
    place = "/document/tags"
    if not isinstance(value, dict):
        reader.wrong(place, "must be an object")
        return {}
    for key, label in value.items():
        if not isinstance(label, str):
            reader.wrong(child(place, key), "must be a string")
    return {key: label for key, label in value.items() if isinstance(label, str)}


def _matching(reader: Reader, header: Any, key: str, shape: re.Pattern[str], said: str) -> str:
    if key not in header:
        return ""
    value = header[key]
    if isinstance(value, str) and shape.fullmatch(value):
        return value
    reader.wrong(child("/document", key), f"must be a string: {said}")
    return ""


def _use(reader: Reader, value: Json) -> None:
    if isinstance(value, dict):
        for key in USE_NOT_BUILT:
            if key in value:
                reader.wrong(child("/use", key), f"use.{key} is not built yet")
    members = reader.members(value, "/use", (*USE, *USE_NOT_BUILT))
    for key in USE:
        at = child("/use", key)
        if not isinstance(members.get(key, {}), dict):
            reader.wrong(at, "must be an object")
        else:
            reader.reusable[key] = members.get(key, {})


def _transform(reader: Reader, value: Json, place: str, inner: str) -> Template | None:
    if value is None:
        return None
    members = reader.members(value, place, (inner, "schema"))
    if "schema" in members:
        reader.wrong(child(place, "schema"), f"{place[1:]}.schema is not built yet")
    return reader.transform(members[inner], child(place, inner)) if inner in members else None
