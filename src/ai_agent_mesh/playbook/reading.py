"""Bytes of YAML to a tree of places, by events and without recursion, so that no file can hurt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from ai_agent_mesh.playbook.tree import Branch, Leaf, Mistake, Node, Place, Twigs

#: A playbook is a few hundred lines; what is larger or deeper is not one.
LARGEST_BYTES = 128 * 1024
DEEPEST = 16
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(data: bytes, file: str) -> tuple[Node | None, list[Mistake]]:
    """Return the tree of a file and every mistake in its writing; an empty file is an empty tree.

    The tree is None when there is nothing to go on with.
    """
    start = Place(file, 1, 1)
    if len(data) > LARGEST_BYTES:
        size = f"has {len(data)} bytes; expected a playbook of at most {LARGEST_BYTES}"
        return None, [start.mistake(size)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_at(data[: error.start].decode(), file).mistake("is not UTF-8")]
    if found := _UNPRINTABLE.search(text):
        reason = f"holds the character U+{ord(found[0]):04X}, which no YAML file may hold"
        return None, [_at(text[: found.start()], file).mistake(reason)]
    return _parsed(text, file)


def _at(before: str, file: str) -> Place:
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def _parsed(text: str, file: str) -> tuple[Node | None, list[Mistake]]:
    planter = _Planter(file)
    try:
        for event in _events(text):
            planter.take(event)
    except _TooDeep:
        return None, planter.mistakes
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        reason = " ".join(part for part in (error.context, error.problem) if part)
        return None, [*planter.mistakes, place.mistake(f"is not YAML: {reason}")]
    except yaml.YAMLError as error:
        return None, [*planter.mistakes, Place(file, 1, 1).mistake(f"is not YAML: {error}")]
    root = planter.root
    if isinstance(root, Leaf) and not root.text:
        root = None
    if root is not None and not isinstance(root, Branch):
        return None, [
            *planter.mistakes,
            root.place.mistake("is no mapping; expected keys with values"),
        ]
    return root or Branch({}, {}, Place(file, 1, 1)), planter.mistakes


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader=_LOADER))  # type: ignore[no-any-return, no-untyped-call, unused-ignore] # the stubs do not know it


class _TooDeep(Exception):  # noqa: N818 - it ends the walk
    """Nobody nests a playbook like this."""


@dataclass(slots=True)
class _Planter:
    """Grows the tree from one event after the other, with a stack in place of recursion."""

    file: str
    root: Node | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    _open: list[Branch | Twigs] = field(default_factory=list)
    _keys: list[Leaf | None] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self.mistakes.append(self._place(event).mistake("starts a second document"))
            case yaml.AliasEvent():
                self._note(event, "is an alias; write the value out")
                self._plant(Leaf("", self._place(event)))
            case yaml.ScalarEvent():
                self._marks(event)
                self._plant(Leaf(event.value, self._place(event)))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._marks(event)
                self._descend(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._keys.pop()
                self._names.pop()

    def _descend(self, event: yaml.Event) -> None:
        place = self._place(event)
        if len(self._open) == DEEPEST:
            self.mistakes.append(place.mistake(f"is nested deeper than {DEEPEST} levels"))
            raise _TooDeep
        mapping = isinstance(event, yaml.MappingStartEvent)
        node: Branch | Twigs = Branch({}, {}, place) if mapping else Twigs([], place)
        key = self._keys[-1] if self._keys else None
        self._names.append(key.text if key else "")
        self._plant(node)
        self._open.append(node)
        self._keys.append(None)

    def _plant(self, node: Node) -> None:
        if not self._open:
            if self._documents == 1:
                self.root = node
            return
        home = self._open[-1]
        if isinstance(home, Twigs):
            home.items.append(node)
        elif (key := self._keys[-1]) is None:
            self._keys[-1] = self._key(node, home)
        else:
            home.entries.setdefault(key.text, node)
            home.places.setdefault(key.text, key.place)
            self._keys[-1] = None

    def _key(self, node: Node, home: Branch) -> Leaf:
        if not isinstance(node, Leaf):
            self.mistakes.append(node.place.mistake("is no key; expected a word"))
            return Leaf("", node.place)
        if node.text in home.entries:
            first = home.places[node.text]
            reason = f"stands twice, first on line {first.line}; keep one"
            above = [name for name in self._names if name]
            self.mistakes.append(node.place.mistake(reason, ".".join([*above, node.text])))
        return node

    def _marks(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            self._note(event, f"has the tag {tag}; expected a plain value")
        if event.anchor is not None:
            self._note(event, f"has the anchor &{event.anchor}; write values out, without aliases")

    def _note(self, event: yaml.Event, reason: str) -> None:
        self.mistakes.append(self._place(event).mistake(reason))

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file, 1, 1)
