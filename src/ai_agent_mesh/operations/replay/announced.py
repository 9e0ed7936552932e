"""Planned maintenance as a file tells it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import Maintenance, Proof
from ai_agent_mesh.operations.replay.engine import Engine
from ai_agent_mesh.operations.replay.facts import RowInvalid
from ai_agent_mesh.operations.replay.files import File, line_of
from ai_agent_mesh.operations.replay.model import Form
from ai_agent_mesh.operations.replay.reading import WORDS, moment_us, word, wrong
from ai_agent_mesh.operations.replay.relations import COLUMNS, Relation
from ai_agent_mesh.sla import Service

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = ("announced_at", "starts_at", "ends_at", "cancelled_at")


def announced(engine: Engine, file: File, found: Relation) -> Iterator[Maintenance]:
    """Yield the works of a file, in its order; each row stands for itself.

    Raises:
        RowInvalid: a row is no announcement; it is named with its field.
    """
    engine.in_order()
    needed, optional = COLUMNS[Form.MAINTENANCE]
    names = [name for name in (*needed, *optional) if name in found.types]
    parts = [f'"{name}"::VARCHAR' for name in names]
    parts += [
        moment_us(name, found.types[name]) if name in _MOMENTS else word(name, found.types[name])
        for name in names
    ]
    sql = f"SELECT {', '.join(parts)} FROM ({found.sql})"
    for number, row in enumerate(engine.read(file, sql, found.parameters), 1):
        written = dict(zip(names, row, strict=False))
        read = dict(zip(names, row[len(names) :], strict=True))
        yield _work(_Row(file, found, number, written), read)


class _Row:
    """A row as it was written, to say what is wrong with it."""

    def __init__(
        self, file: File, found: Relation, number: int, written: Mapping[str, str | None]
    ) -> None:
        self._file, self._found, self._number, self._written = file, found, number, written

    @property
    def name(self) -> str:
        """Return what a person calls it."""
        if self._found.row == "line":
            return f"line {line_of(self._file, self._number)}"
        return f"{self._found.row} {self._number}"

    def given(self, field: str) -> bool:
        """Tell whether anything stands in an optional field."""
        return bool(self._written.get(field))

    def refuse(self, field: str, reason: str | None = None) -> NoReturn:
        """Raise what is wrong with a field."""
        said = reason or wrong(field, self._written.get(field))
        faults = [Fault(f"{self.name}/{field}", said)]
        raise RowInvalid(
            file=self._file.name, row=self.name, field=field, reason=said, faults=faults
        )


def _work(row: _Row, read: Mapping[str, Any]) -> Maintenance:  # Any: a row's columns
    moments = {}
    for field in _MOMENTS:
        value = read.get(field)
        if value is None and (field != "cancelled_at" or row.given(field)):
            row.refuse(field)
        moments[field] = None if value is None else _EPOCH + timedelta(microseconds=value)
    told, since, until = (moments[field] for field in _MOMENTS[:3])
    assert told is not None and since is not None and until is not None  # noqa: S101, PT018 - refused above
    if until <= since:
        row.refuse("ends_at", "must be after starts_at")
    off = moments["cancelled_at"]
    if off is not None and off < told:
        row.refuse("cancelled_at", "must not be before announced_at")
    service = read.get("service")
    if service is not None and service not in WORDS["service"]:
        row.refuse("service")
    return Maintenance(
        id=row.name,
        title=row.name,
        description="",
        span=Span(since, until),
        services=None if service is None else frozenset({Service(service)}),
        announced=Proof(told, row.name),
        cancelled=None if off is None else Proof(off, row.name),
    )
