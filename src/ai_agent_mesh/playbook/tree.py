"""A playbook file as a tree of places: where each key stands and what was written there."""

from dataclasses import dataclass, field

from ai_agent_mesh.kernel.errors import Fault


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong, where, and at which dotted key; mistakes sort by place."""

    place: "Place"
    key: str
    reason: str

    def fault(self) -> Fault:
        """Return it with its place and key written as one."""
        return Fault(f"{self.place} {self.key}" if self.key else str(self.place), self.reason)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def mistake(self, reason: str, key: str = "") -> Mistake:
        """Return a mistake at this place, with its dotted key when it has one."""
        return Mistake(self, key, reason)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


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


def found(node: Node, key: str) -> Node | None:
    """Return the node at a dotted key, or None."""
    for name in key.split("."):
        if isinstance(node, Branch) and name in node.entries:
            node = node.entries[name]
        elif isinstance(node, Twigs) and name.isdigit() and int(name) < len(node.items):
            node = node.items[int(name)]
        else:
            return None
    return node
