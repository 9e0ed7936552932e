"""Which code outside the playbook reads which of its keys, seen through the type checker's eyes.

A key counts as consumed where mypy sees the product read that field of that section's class: not
where a name looks alike, and not where the playbook package itself shows or checks it. A property
of a section stands for the fields that its own body reads.

`python -m tests.house.playbook_keys` prints each key with its consumers; with `--refresh` it takes
consumed keys off the waiting list and lowers the list's ceiling. It never adds one.
"""

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from mypy import build
from mypy.modulefinder import BuildSource
from mypy.options import Options
from tests.house import playbook_reads

from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.playbook.shapes import Record, Row, Shape, Table, record_of

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
OWN = "ai_agent_mesh.playbook"
WAITING = Path(__file__).with_name("playbook_waiting.yaml")

#: A section's class and one of its fields or properties.
Read = tuple[str, str]


def keys() -> dict[str, Read]:
    """Return every key of the playbook, a `*` for each free name, with the field behind it."""
    return dict(_keys(record_of(Playbook), ""))


def _keys(shape: Shape, lead: str) -> Iterator[tuple[str, Read]]:
    match shape:
        case Record(section, fields, _):
            for name, inner in fields.items():
                path = f"{lead}.{name}" if lead else name
                found = list(_keys(inner, path))
                yield from found or [(path, (_fullname(section), name))]
        case Row(item) | Table(item):
            yield from _keys(item, f"{lead}.*")


def _fullname(section: type) -> str:
    return f"{section.__module__}.{section.__qualname__}"


def consumers(source: Path = SOURCE) -> dict[str, list[str]]:
    """Return, for each key, the `file:line` of every read outside the playbook package."""
    known = keys()
    seen = _seen(source)
    return {key: sorted(seen.reads.get(read, ())) for key, read in known.items()}


@dataclass
class _Seen:
    """Reads of sections' fields outside the playbook, and what their properties read inside."""

    reads: dict[Read, set[str]] = field(default_factory=lambda: defaultdict(set))
    within: dict[Read, set[Read]] = field(default_factory=lambda: defaultdict(set))

    def settle(self) -> None:
        """Let whoever reads a property read what the property reads, however deep."""
        waiting = list(self.reads)
        while waiting:
            outer = waiting.pop()
            for inner in self.within.get(outer, ()):
                if not self.reads[outer] <= self.reads[inner]:
                    self.reads[inner] |= self.reads[outer]
                    waiting.append(inner)


def _seen(source: Path) -> _Seen:
    playbook_reads.SEEN.clear()
    build.build(_sources(source), _options(source))
    seen = _Seen()
    own = source / Path(*OWN.split("."))
    for section, member, name, line in playbook_reads.SEEN:
        path = Path(name)
        if not path.is_relative_to(own):
            seen.reads[section, member].add(f"{path.relative_to(source)}:{line}")
        elif (reader := _reader(path, line, source)) is not None:
            seen.within[reader].add((section, member))
    seen.settle()
    return seen


def _reader(path: Path, line: int, source: Path) -> Read | None:
    """Return the class and the member whose body holds a line of the schema."""
    module = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
    for section in _tree(path).body:
        if isinstance(section, ast.ClassDef):
            for member in section.body:
                if isinstance(member, ast.FunctionDef) and _holds(member, line):
                    return f"{module}.{section.name}", member.name
    return None


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _holds(node: ast.FunctionDef, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _sources(source: Path) -> list[BuildSource]:
    found = []
    for path in sorted((source / "ai_agent_mesh").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if re.fullmatch(r"[A-Za-z_]\w*", parts[-1]):
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(BuildSource(str(path), module, None))
    return found


def _options(source: Path) -> Options:
    """Return options that look at our own code: fast, and most of what others ship is `Any`."""
    options = Options()
    options.follow_imports = "skip"
    options.ignore_missing_imports = True
    options.namespace_packages = True
    options.explicit_package_bases = True
    options.mypy_path = [str(source)]
    options.plugins = [playbook_reads.__name__]
    options.config_file = str(ROOT / "pyproject.toml")  # mypy loads plugins only beside one
    options.check_untyped_defs = True
    for followed in ("litestar", "msgspec"):  # their generics stand in our own signatures
        options.per_module_options[f"{followed}.*"] = {"follow_imports": "silent"}
    options.incremental = False
    options.cache_dir = os.devnull
    return options


@dataclass(frozen=True)
class Waiting:
    """The keys that wait for what will read them, by what they wait for."""

    ceiling: int
    groups: dict[str, list[str]]

    @property
    def keys(self) -> list[str]:
        """Return every waiting key."""
        return [key for group in self.groups.values() for key in group]

    @classmethod
    def read(cls) -> "Waiting":
        """Return the list as it stands."""
        held = yaml.safe_load(WAITING.read_text())
        return cls(held["ceiling"], held["waiting"])

    def without(self, consumed: set[str]) -> "Waiting":
        """Return the list without keys that have found their consumer."""
        groups = {
            name: [key for key in group if key not in consumed]
            for name, group in self.groups.items()
        }
        kept = {name: group for name, group in groups.items() if group}
        return Waiting(min(self.ceiling, sum(map(len, kept.values()))), kept)

    def write(self) -> None:
        """Write the list down."""
        head = WAITING.read_text().partition("ceiling:")[0]
        lines = [f"{head}ceiling: {self.ceiling}", "waiting:"]
        for name, group in self.groups.items():
            lines += [f"  {name}:", *(f"    - {key}" for key in group)]
        WAITING.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Print each key with its consumers, or refresh the waiting list."""
    found = consumers()
    if "--refresh" in sys.argv:
        Waiting.read().without({key for key, places in found.items() if places}).write()
    for key, places in found.items():
        sys.stdout.write(f"{key}: {', '.join(places) or 'waits'}\n")


if __name__ == "__main__":
    main()
