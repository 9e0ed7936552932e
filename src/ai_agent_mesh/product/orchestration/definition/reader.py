"""Reads members out of a document, and gathers every mistake instead of stopping at the first."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.product.orchestration.definition.document import Document, child
from ai_agent_mesh.product.orchestration.definition.durations import seconds_of
from ai_agent_mesh.product.orchestration.definition.model import Template

Json = Any  # what JSON can say

#: What every expression may use, besides the names that its place brings.
NAMES = ("context", "input", "output", "task", "workflow", "runtime")


@dataclass(frozen=True, slots=True)
class Program:
    """One jq program of a definition: where it stands, and the variables it may use."""

    place: str
    text: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Reader:
    """The document under reading, and what was found in it so far."""

    document: Document
    faults: list[Fault] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    #: Variables that the tasks around bring: `item`, `index`, `error`.
    names: tuple[str, ...] = ()
    tasks: int = 0
    reusable: dict[str, dict[str, Json]] = field(default_factory=dict)

    def wrong(self, place: str, reason: str) -> None:
        """Note a mistake."""
        self.faults.append(self.document.fault(place, reason))

    def members(
        self, value: Json, place: str, known: Collection[str], needed: Iterable[str] = ()
    ) -> Mapping[str, Json]:
        """Return an object's members; note what is unknown and what is missing."""
        if not isinstance(value, dict):
            self.wrong(place, "must be an object")
            return {}
        for key in value:
            if key not in known:
                self.wrong(child(place, key), f"unknown key {key!r}; known are {_list(known)}")
        for key in needed:
            if key not in value:
                self.wrong(place, f"the key {key!r} is missing")
        return value

    def text(self, value: Json, place: str, default: str = "") -> str:
        """Return a string that is not empty."""
        if isinstance(value, str) and value.strip():
            return value
        self.wrong(place, f"must be a string, not {_named(value)}")
        return default

    def choice(self, value: Json, place: str, among: Collection[str]) -> str:
        """Return one of a few words."""
        if isinstance(value, str) and value in among:
            return value
        self.wrong(place, f"must be one of {_list(among)}")
        return next(iter(among))

    def flag(self, value: Json, place: str) -> bool:
        """Return true or false."""
        if not isinstance(value, bool):
            self.wrong(place, "must be true or false")
        return bool(value)

    def whole(self, value: Json, place: str, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(place, f"must be a whole number from {least} to {most}")
        return least

    def seconds(self, value: Json, place: str) -> float:
        """Return a duration in seconds."""
        seconds = seconds_of(value)
        if isinstance(seconds, str):
            self.wrong(place, seconds)
            return 0.0
        return seconds

    def template(self, value: Json, place: str) -> Template:
        """Return a value whose `${ … }` strings are expressions, each noted for compilation."""
        self._note(value, place)
        return Template.of(value)

    def expression(self, value: Json, place: str) -> Template:
        """Return an expression, written with or without `${ }`."""
        template = Template.expression(self.text(value, place, "null"))
        self._note(template.value, place)
        return template

    def transform(self, value: Json, place: str) -> Template:
        """Return what `from` and `as` take: an expression, or an object with expressions in it."""
        if isinstance(value, str):
            return self.expression(value, place)
        return self.template(value, place)

    def _note(self, value: Json, place: str) -> None:
        if isinstance(value, dict):
            for key, member in value.items():
                self._note(member, child(place, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._note(item, child(place, index))
        else:
            names = (*NAMES, *self.names)
            self.programs += [Program(place, text, names) for text in Template.of(value).programs]


def _list(words: Collection[str]) -> str:
    return ", ".join(sorted(words))


def _named(value: Json) -> str:
    if isinstance(value, str):
        return "an empty one"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else json.dumps(value)
