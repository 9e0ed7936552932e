"""A tree of places to typed values, gathering every mistake on the way."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

import msgspec

from ai_agent_mesh.playbook.laws import broken_laws, broken_wide_laws
from ai_agent_mesh.playbook.shapes import Choice, Record, Row, Scalar, Shape, Table
from ai_agent_mesh.playbook.tree import Branch, Leaf, Mistake, Node, Place, Twigs, found
from ai_agent_mesh.playbook.units import Unreadable

_NOTHING = ("", "none", "null", "~")


class _Broken:
    """Stands for a value that could not be made."""


BROKEN: Final = _Broken()


@dataclass(slots=True)
class Shaper:
    """Makes values of nodes; what is wrong collects in `mistakes`."""

    mistakes: list[Mistake] = field(default_factory=list)
    #: Every scalar that could be made, by its dotted key.
    scalars: dict[str, object] = field(default_factory=dict)

    def whole(self, root: Node, shape: Record) -> object:
        """Return the value of a whole playbook, after the laws that reach across it."""
        made = self.make(root, shape)
        for key, reason in broken_wide_laws(self.scalars):
            self._broken((found(root, key) or root).place, key, reason)
        return made

    def make(self, node: Node, shape: Shape, key: str = "") -> object:
        """Return the value of a node, or BROKEN after noting why."""
        match shape:
            case Scalar():
                return self._scalar(node, shape, key)
            case Choice():
                return self._choice(node, shape, key)
            case Row():
                return self._row(node, shape, key)
            case Table():
                return self._table(node, shape, key)
            case Record():
                return self._record(node, shape, key)

    def _scalar(self, node: Node, shape: Scalar, key: str) -> object:
        unit = shape.unit
        if not isinstance(node, Leaf):
            return self._broken(node.place, key, f"is no single value; expected {unit.expected}")
        try:
            self.scalars[key] = value = unit.read(node.text)
        except Unreadable as error:
            return self._broken(
                node.place, key, f"{_quoted(node)} {error}; expected {unit.expected}"
            )
        except ValueError:
            what = _said(node) if node.text else "is empty"
            return self._broken(node.place, key, f"{what}; expected {unit.expected}")
        return value

    def _choice(self, node: Node, shape: Choice, key: str) -> object:
        words = [word.value for word in shape.words]
        if isinstance(node, Leaf) and node.text in words:
            return shape.words(node.text)
        said = _said(node) if isinstance(node, Leaf) else "is no single value"
        hint = _did_you_mean(node.text, words) if isinstance(node, Leaf) else ""
        return self._broken(node.place, key, f"{said}; expected {_either(words)}{hint}")

    def _row(self, node: Node, shape: Row, key: str) -> object:
        if not isinstance(node, Twigs):
            return self._broken(node.place, key, "is no list; expected [one, another]")
        made = [self.make(part, shape.item, f"{key}.{i}") for i, part in enumerate(node.items)]
        if any(part is BROKEN for part in made):
            return BROKEN
        return self._lawful(tuple(made), {}, node, key)

    def _table(self, node: Node, shape: Table, key: str) -> object:
        if not isinstance(node, Branch):
            return self._broken(node.place, key, "is no mapping; expected named entries")
        if shape.names is not None:
            self._unknown(node, shape.names, key)
        made: dict[str, object] = {}
        for name in shape.names if shape.names is not None else node.entries:
            part = node.entries.get(name)
            if part is not None and not (_is_nothing(part) and not shape.complete):
                made[name] = self.make(part, shape.item, _dotted(key, name))
            elif shape.complete:
                made[name] = self._broken(node.place, _dotted(key, name), "is missing")
        if any(part is BROKEN for part in made.values()):
            self._lawful(None, made, node, key)
            return BROKEN
        return self._lawful(MappingProxyType(made), made, node, key)

    def _record(self, node: Node, shape: Record, key: str) -> object:
        if not isinstance(node, Branch):
            return self._broken(node.place, key, f"is no mapping; expected {_either(shape.fields)}")
        self._unknown(node, shape.fields, key)
        made: dict[str, object] = {}
        for name, inner in shape.fields.items():
            made[name] = self._field(node, name, inner, shape, _dotted(key, name))
        whole = not any(part is BROKEN for part in made.values())
        value = shape.section(**made) if whole else None
        lawful = self._lawful(value, made, node, key, shape.section)
        return lawful if whole else BROKEN

    def _field(self, node: Branch, name: str, shape: Shape, record: Record, key: str) -> object:
        part = node.entries.get(name)
        if part is None:
            if name in record.optional:
                return None
            expected = f"; expected {shape.unit.expected}" if isinstance(shape, Scalar) else ""
            return self._broken(node.place, key, f"is missing{expected}")
        if name in record.optional and _is_nothing(part):
            return None
        return self.make(part, shape, key)

    def _unknown(self, node: Branch, names: Iterable[str], key: str) -> None:
        known = list(names)
        for name in node.entries:
            if name not in known:
                hint = _did_you_mean(name, known) or f"; expected {_either(known)}"
                self._broken(node.places[name], _dotted(key, name), f"is not a key{hint}")

    def _lawful(
        self,
        value: object,
        parts: dict[str, object],
        node: Branch | Twigs,
        key: str,
        section: type[msgspec.Struct] | None = None,
    ) -> object:
        """Note each law that the value breaks, as far as its parts could be made."""
        known = {name: part for name, part in parts.items() if part is not BROKEN}
        whole = not any(part is BROKEN for part in parts.values())
        broken = list(broken_laws(section, key, value if whole else None, known))
        for name, reason in broken:
            self._broken(_place_of(node, name), _dotted(key, name), reason)
        return BROKEN if broken else value

    def _broken(self, place: Place, key: str, reason: str) -> _Broken:
        self.mistakes.append(place.mistake(reason, key))
        return BROKEN


def _place_of(node: Branch | Twigs, name: str) -> Place:
    if isinstance(node, Branch) and name in node.entries:
        return node.entries[name].place
    if isinstance(node, Twigs) and name.isdigit():
        return node.items[int(name)].place
    return node.place


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Leaf) and node.text in _NOTHING


def _said(node: Leaf) -> str:
    return f"is {_quoted(node)}"


def _quoted(node: Leaf) -> str:
    return repr(node.text if len(node.text) <= 60 else node.text[:57] + "...")


def _dotted(key: str, name: str) -> str:
    return ".".join(part for part in (key, name) if part)


def _either(words: Iterable[str]) -> str:
    shown = list(words)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
