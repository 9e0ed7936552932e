"""A playbook file as a tree of places: where each key stands and what was written there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ai_agent_mesh.kernel.errors import Fault


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def fault(self, reason: str, key: str = "") -> Fault:
        """Return a mistake at this place, with its dotted key when it has one."""
        where = f"{self.file}:{self.line}:{self.column}"
        return Fault(f"{where} {key}" if key else where, reason)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, as it was written."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Twigs:
    """A list."""

    items: list["Node"] = field(hash=False)
    place: Place


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping; `places` says where each key itself stands."""

    entries: dict[str, "Node"] = field(hash=False)
    places: dict[str, Place] = field(hash=False)
    place: Place


Node = Leaf | Twigs | Branch


def merged(under: Node, over: Node) -> Node:
    """Return `under` with what `over` names in its stead: key by key, a list replaced whole."""
    if not (isinstance(under, Branch) and isinstance(over, Branch)):
        return over
    entries, places = dict(under.entries), {**under.places, **over.places}
    for key, node in over.entries.items():
        entries[key] = merged(entries[key], node) if key in entries else node
    return Branch(entries, places, over.place if over.entries else under.place)


def keys_of(node: Node, key: str = "") -> Iterator[tuple[str, Place]]:
    """Yield the dotted key and the place of every node below."""
    lead = f"{key}." if key else ""
    if isinstance(node, Branch):
        for name, part in node.entries.items():
            yield f"{lead}{name}", node.places[name]
            yield from keys_of(part, f"{lead}{name}")
    elif isinstance(node, Twigs):
        for index, part in enumerate(node.items):
            yield f"{lead}{index}", part.place
            yield from keys_of(part, f"{lead}{index}")
