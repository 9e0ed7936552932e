"""A workflow definition as frozen values: what a valid document says, ready to be interpreted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = Any  # what JSON can say

_WRAPPED = re.compile(r"\s*\$\{(.*)\}\s*", re.DOTALL)

ERRORS = "https://serverlessworkflow.io/spec/1.0.0/errors/"


def unwrapped(text: str) -> str | None:
    """Return the jq program in `${ … }`, or None where the text is no expression."""
    found = _WRAPPED.fullmatch(text)
    return found[1].strip() if found else None


@dataclass(frozen=True, slots=True)
class Template:
    """A JSON value with runtime expressions in it; filled once these are evaluated."""

    value: Json
    programs: tuple[str, ...]

    @classmethod
    def of(cls, value: Json) -> "Template":
        """Take a value in which each string of the form `${ … }` is an expression."""
        return cls(value, tuple(_programs(value)))

    @classmethod
    def expression(cls, text: str) -> "Template":
        """Take a string that is an expression with or without its `${ }`."""
        program = unwrapped(text)
        return cls.of("${" + (text if program is None else program) + "}")

    def fill(self, values: Iterator[Json]) -> Json:
        """Return the value with each expression replaced by the next of `values`."""
        return _filled(self.value, values)


def _programs(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        program = unwrapped(value)
        if program is not None:
            yield program
    elif isinstance(value, dict):
        for member in value.values():
            yield from _programs(member)
    elif isinstance(value, list):
        for item in value:
            yield from _programs(item)


def _filled(value: Json, values: Iterator[Json]) -> Json:
    if isinstance(value, str):
        return value if unwrapped(value) is None else next(values)
    if isinstance(value, dict):
        return {key: _filled(member, values) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Flow:
    """What each task may say about its data, its time and what comes after it."""

    condition: Template | None = None
    input: Template | None = None
    output: Template | None = None
    export: Template | None = None
    timeout_s: float | None = None
    then: str = "continue"


@dataclass(frozen=True, slots=True)
class Do:
    """Tasks in sequence."""

    tasks: "tuple[Task, ...]"


@dataclass(frozen=True, slots=True)
class Set:
    """Data to go on with."""

    value: Template


@dataclass(frozen=True, slots=True)
class Case:
    """One way out of a switch; without a condition it is the default."""

    name: str
    condition: Template | None
    then: str


@dataclass(frozen=True, slots=True)
class Switch:
    """The first case that holds decides where to go on."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class For:
    """Tasks for each item of a collection."""

    each: str
    at: str
    collection: Template
    condition: Template | None
    tasks: "tuple[Task, ...]"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, how long and with which pauses a failed attempt is repeated."""

    condition: Template | None = None
    exception: Template | None = None
    delay_s: float = 0.0
    backoff: str = "constant"
    most: int | None = None
    longest_s: float | None = None
    jitter_s: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Catch:
    """Which errors a try catches, and what it does about them."""

    matching: dict[str, Json] = field(default_factory=dict)
    name: str = "error"
    condition: Template | None = None
    exception: Template | None = None
    retry: Retry | None = None
    tasks: "tuple[Task, ...]" = ()


@dataclass(frozen=True, slots=True)
class Try:
    """Tasks whose errors are caught."""

    tasks: "tuple[Task, ...]"
    catch: Catch


@dataclass(frozen=True, slots=True)
class Raise:
    """An error, raised on purpose."""

    error: Template


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CallHttp:
    """An HTTP request to an outside service."""

    method: str
    arguments: Template
    answer: str = "content"
    redirect: bool = False


@dataclass(frozen=True, slots=True)
class CallAgent:
    """A message to one of the tenant's registered agents."""

    arguments: Template


@dataclass(frozen=True, slots=True)
class Listen:
    """A question to a person, answered by an approval or a rejection."""

    asks: Template


Body = Do | Set | Switch | For | Try | Raise | Wait | CallHttp | CallAgent | Listen

KINDS: dict[type[Body], str] = {
    Do: "do",
    Set: "set",
    Switch: "switch",
    For: "for",
    Try: "try",
    Raise: "raise",
    Wait: "wait",
    CallHttp: "call:http",
    CallAgent: "call:a2a",
    Listen: "listen",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its name, where it stands in the document (JSON pointer), and what it does."""

    name: str
    place: str
    body: Body
    flow: Flow
    #: The task as written, for `$task.definition`.
    source: Json

    @property
    def kind(self) -> str:
        """Return the task's kind, such as `set` or `call:http`."""
        return KINDS[type(self.body)]


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a workflow."""

    namespace: str
    name: str
    version: str
    title: str
    #: What policies may ask of the workflow.
    labels: dict[str, str]
    tasks: tuple[Task, ...]
    input: Template | None
    output: Template | None
    timeout_s: float | None
    source: Json
