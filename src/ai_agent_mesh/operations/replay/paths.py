"""Which service and category a path of a server's access log belongs to."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import yaml

from ai_agent_mesh.operations.replay.facts import FileUnusable, PathsInvalid
from ai_agent_mesh.sla import Category, Service

_FIELDS = ("path", "service", "category")
_WILD = frozenset("*?[")
#: A row as it was written; csv keeps what is beyond the head under None.
_Cells = Mapping[str | None, object]


@dataclass(frozen=True, slots=True)
class PathRow:
    """A glob, or without a wildcard a prefix, and what it stands for; the first that fits wins."""

    path: str
    service: Service
    category: Category

    @property
    def is_glob(self) -> bool:
        """Tell whether it has a wildcard."""
        return bool(_WILD & set(self.path))


def read_paths(path: Path) -> tuple[PathRow, ...]:
    """Return the rows of a table in YAML (a list of mappings) or CSV (with a head).

    Raises:
        FileUnusable: it cannot be read.
        PathsInvalid: a row is not one; it is named.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = list(_csv(text) if path.suffix == ".csv" else _yaml(text, path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FileUnusable(file=str(path), reason=f"cannot be read: {error}") from error
    return tuple(_row(row, path, number) for number, row in enumerate(rows, 1))


def _csv(text: str) -> Iterator[_Cells]:
    yield from csv.DictReader(text.splitlines())


def _yaml(text: str, path: Path) -> Sequence[_Cells]:
    found = yaml.safe_load(text)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        reason = f"must be a list of rows with {', '.join(_FIELDS)}"
        raise FileUnusable(file=str(path), reason=reason)
    return found


def _row(row: _Cells, path: Path, number: int) -> PathRow:
    def refuse(field: str, reason: str) -> NoReturn:
        raise PathsInvalid(file=str(path), row=f"row {number}", field=field, reason=reason)

    for name in row:
        if name is None:  # where csv puts them
            refuse("it", "has more cells than the head")
        if name not in _FIELDS:
            refuse(str(name), "is not known")
    for name in _FIELDS:
        if name in row and row[name] in (None, ""):
            refuse(name, "is empty")
    prefix = row.get("path")
    if not isinstance(prefix, str) or not prefix.startswith(("/", "*")):
        refuse("path", "must start with / or *")
    service = str(row.get("service", Service.API))
    category = str(row.get("category", Category.OTHER))
    if service not in set(Service):
        refuse("service", f"is {service}; known: {', '.join(Service)}")
    if category not in set(Category):
        refuse("category", f"is {category}; known: {', '.join(Category)}")
    return PathRow(prefix, Service(service), Category(category))
