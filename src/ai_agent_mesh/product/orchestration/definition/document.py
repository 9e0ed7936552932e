"""A definition's text, YAML or JSON, read into plain values that remember where they stood."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

import yaml

from ai_agent_mesh.kernel.errors import Fault

Json = Any  # what JSON can say

MOST_BYTES = 512 * 1024
MOST_NODES = 20_000
DEEPEST = 64

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# YAML 1.2's core schema: `on` and `no` are words, and a date is a string.
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a text, and the line and column (from 1) of each JSON pointer in it."""

    value: Json
    marks: dict[str, tuple[int, int]]

    def fault(self, place: str, reason: str) -> Fault:
        """Return a mistake at a place, with the line where that is known."""
        known = place
        while known and known not in self.marks:
            known = known.rpartition("/")[0]
        mark = self.marks.get(known)
        where = f"line {mark[0]}, column {mark[1]}: " if mark else ""
        return Fault(place, where + reason)


class Unreadable(Exception):  # noqa: N818 - it says what the text is
    """The text is no document at all; `fault` says where and why."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.fault = Fault("", f"line {line}, column {column}: {reason}")


def child(place: str, key: str | int) -> str:
    """Return the JSON pointer of a member (RFC 6901)."""
    return f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}"


def read_document(text: str) -> Document:
    """Read YAML or JSON; JSON is told by its first character.

    Raises:
        Unreadable: it is neither, too large, too deep, or uses what a definition does not need
            (anchors, tags, several documents, a key twice).
    """
    if len(text.encode()) > MOST_BYTES:
        raise Unreadable(f"the definition is larger than {MOST_BYTES} bytes")
    if text.lstrip()[:1] == "{":
        _as_json(text)
    try:
        _bound(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(f"not YAML: {error.problem or error.context}", line, column) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"not YAML: {str(error).splitlines()[0]}") from error
    if root is None:
        raise Unreadable("the definition is empty")
    marks: dict[str, tuple[int, int]] = {}
    return Document(_value(root, "", marks), marks)


def _as_json(text: str) -> None:
    try:
        json.loads(text)
    except RecursionError as error:
        raise Unreadable(f"nested deeper than {DEEPEST}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg}", error.lineno, error.colno) from error
    except ValueError as error:  # Python reads no integer of thousands of digits
        raise Unreadable("a number has too many digits") from error


def _bound(text: str) -> None:
    """Refuse what would grow when it is built, before any of it is built."""
    depth = count = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable("anchors and aliases are not taken; repeat the text", line, column)
        if isinstance(event, yaml.NodeEvent):
            count += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise Unreadable(f"nested deeper than {DEEPEST}", line, column)
        if count > MOST_NODES:
            raise Unreadable(f"more than {MOST_NODES} values", line, column)


def _value(node: yaml.Node, place: str, marks: dict[str, tuple[int, int]]) -> Json:
    marks[place] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, marks)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, child(place, i), marks) for i, item in enumerate(node.value)]
    return _scalar(cast("yaml.ScalarNode", node))


def _mapping(
    node: yaml.MappingNode, place: str, marks: dict[str, tuple[int, int]]
) -> dict[str, Json]:
    members: dict[str, Json] = {}
    for key, value in node.value:
        line, column = key.start_mark.line + 1, key.start_mark.column + 1
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable("a key must be a string", line, column)
        if key.value in members:
            raise Unreadable(f"the key {key.value!r} stands twice", line, column)
        members[key.value] = _value(value, child(place, key.value), marks)
        marks[child(place, key.value)] = (line, column)
    return members


def _scalar(node: yaml.ScalarNode) -> Json:
    text = node.value
    if node.style in {"'", '"', "|", ">"}:  # quoted or a block: always a string
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text) and abs(float(text)) != float("inf"):
        return float(text)
    return text
