"""The closed vocabulary of what can go wrong: seven kinds, each refined by named facts.

A fact is a class whose docstring is its message; its keyword fields are the evidence and fill the
message's placeholders. Transport codes stand elsewhere, in one table.

>>> class AgentMissing(NotFound):
...     "There is no agent {agent}."
>>> raise AgentMissing(agent="agt_1")
Traceback (most recent call last):
    ...
ai_agent_mesh.kernel.errors.AgentMissing: There is no agent agt_1.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in what was handed in: its place (JSON pointer or dotted) and the reason."""

    place: str
    reason: str


class Fact(Exception):  # noqa: N818 - it names what happened
    """Something went wrong."""

    #: The agent or service beyond us is at fault, not the platform.
    upstream: ClassVar[bool] = False

    def __init__(self, detail: str | None = None, /, **evidence: object) -> None:
        self.evidence = evidence
        self.detail = detail or _message(type(self)).format_map(_Visible(evidence))
        super().__init__(self.detail)


class Invalid(Fact):
    """What was handed in cannot be used."""

    def __init__(
        self, detail: str | None = None, /, *, faults: Sequence[Fault] = (), **evidence: object
    ) -> None:
        self.faults = tuple(faults)
        super().__init__(detail, **evidence)


class Unauthenticated(Fact):
    """The caller did not prove who they are."""


class Denied(Fact):
    """The caller may not do this."""


class NotFound(Fact):
    """There is no such thing."""


class Conflict(Fact):
    """The present state does not allow this."""


class Exhausted(Fact):
    """A limit is used up."""


class Unavailable(Fact):
    """What is needed for this is not reachable now."""


KINDS: tuple[type[Fact], ...] = (
    Invalid, Unauthenticated, Denied, NotFound, Conflict, Exhausted, Unavailable,
)  # fmt: skip


def kind_of(fact: Fact) -> type[Fact]:
    """Return which of the seven kinds a fact is of; a bare `Fact` counts as `Unavailable`."""
    return next((kind for kind in KINDS if isinstance(fact, kind)), Unavailable)


class _Visible(dict[str, object]):
    """Evidence for a message; a missing field shows as its own placeholder, never as a KeyError."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _message(fact: type[Fact]) -> str:
    return inspect.cleandoc(fact.__doc__ or fact.__name__).partition("\n\n")[0].replace("\n", " ")
