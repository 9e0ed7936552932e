"""What stands behind a schema's type hint: a scalar, a choice, a record, a table or a list."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from ai_agent_mesh.playbook.units import Unit


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that its unit reads and writes."""

    unit: Unit[Any]  # Any: a shape holds units of every value type


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: type[StrEnum]


@dataclass(frozen=True, slots=True)
class Row:
    """Several of one kind, in their order."""

    item: "Shape"


@dataclass(frozen=True, slots=True)
class Table:
    """Named entries of one kind; `names` None leaves the names to the author."""

    item: "Shape"
    names: tuple[str, ...] | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of a section; those in `optional` may be left out."""

    section: type[Struct]
    fields: dict[str, "Shape"]
    optional: frozenset[str]


Shape = Scalar | Choice | Row | Table | Record


@cache
def record_of(section: type[Struct]) -> Record:
    """Return the shape of a section."""
    known = fields(section)
    optional = frozenset(field.name for field in known if field.default is not NODEFAULT)
    return Record(section, {field.name: _field_shape(field) for field in known}, optional)


def _field_shape(field: FieldInfo) -> Shape:
    return shape_of(field.type)


def shape_of(hint: Any) -> Shape:  # Any: a type hint has no type of its own
    """Return the shape of a type hint.

    Raises TypeError for a hint that a playbook's schema may not use.
    """
    origin = get_origin(hint)
    if origin is Annotated:
        return _annotated(*get_args(hint))
    if origin in (Union, UnionType):
        (present,) = (part for part in get_args(hint) if part is not NoneType)
        return shape_of(present)
    if origin is tuple:
        return Row(shape_of(get_args(hint)[0]))
    if origin is Mapping:
        return Table(shape_of(get_args(hint)[1]), None, False)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return record_of(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Choice(hint)
    raise TypeError(f"a playbook's schema cannot use {hint}")


def _annotated(hint: Any, mark: Any) -> Shape:  # Any: see shape_of
    if isinstance(mark, Unit):
        return Scalar(mark)
    inner = shape_of(hint)
    if isinstance(inner, Table):
        return Table(inner.item, mark.allowed, mark.all)
    raise TypeError(f"{mark} says nothing about {hint}")
