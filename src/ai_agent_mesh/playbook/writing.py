"""A playbook written back: as plain values, as flat dotted keys, and as a digest."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from ai_agent_mesh.playbook.shapes import Choice, Record, Row, Scalar, Shape, Table, record_of

Plain: TypeAlias = "str | int | list[Plain] | dict[str, Plain] | None"


def plain(section: msgspec.Struct) -> dict[str, Plain]:
    """Return a section as dicts, lists and scalars in their units, the same for the same content."""  # noqa: E501
    return {
        name: _written(getattr(section, name), shape)
        for name, shape in record_of(type(section)).fields.items()
    }


def _written(value: object, shape: Shape) -> Plain:
    match value, shape:
        case _, Scalar(unit):
            return unit.write(value) if value is not None or _reads_none(unit.expected) else None
        case None, _:
            return None
        case str(), Choice():
            return str(value)
        case tuple(), Row(item):
            return [_written(part, item) for part in value]
        case Mapping(), Table(item):
            return {str(name): _written(part, item) for name, part in value.items()}
        case msgspec.Struct(), Record():
            return plain(value)
    raise TypeError(f"{value!r} is not of the shape {shape}")


def _reads_none(expected: str) -> bool:
    return "unlimited" in expected


def flat(value: Plain, key: str = "") -> Iterator[tuple[str, str | int | None]]:
    """Yield each dotted key with its scalar; the entries of a list are numbered from 0.

    >>> dict(flat({"a": {"b": ["x", "y"]}, "c": 1}))
    {'a.b.0': 'x', 'a.b.1': 'y', 'c': 1}
    """
    lead = f"{key}." if key else ""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from flat(part, f"{lead}{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from flat(part, f"{lead}{index}")
    else:
        yield key, value


def canonical(section: msgspec.Struct) -> bytes:
    """Return a section's canonical JSON: keys sorted, no white space, values in their units."""
    return msgspec.json.encode(plain(section), order="deterministic")


def digest_of(section: msgspec.Struct) -> str:
    """Return the SHA-256, in hex, of a section's canonical JSON."""
    return hashlib.sha256(canonical(section)).hexdigest()
