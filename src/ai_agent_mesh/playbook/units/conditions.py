"""Thresholds: a figure above or below a level, perhaps for some time, or a bare event."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from ai_agent_mesh.playbook.units.moments import read_duration, write_duration
from ai_agent_mesh.playbook.units.quantities import read_share
from ai_agent_mesh.playbook.units.unit import Unit
from ai_agent_mesh.sla import percent_text


class Sense(StrEnum):
    """On which side of its level a condition holds."""

    ABOVE = "above"
    BELOW = "below"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds strictly beyond `level` for at least `lasting`; an event has neither."""

    sense: Sense
    level: Fraction | timedelta | None = None
    lasting: timedelta | None = None
    of: str | None = None

    def reached(self, figure: Fraction | timedelta) -> bool:
        """Tell whether a figure of the same kind lies strictly beyond the level."""
        if isinstance(figure, timedelta) and isinstance(self.level, timedelta):
            return figure > self.level if self.sense is Sense.ABOVE else figure < self.level
        if isinstance(figure, Fraction) and isinstance(self.level, Fraction):
            return figure > self.level if self.sense is Sense.ABOVE else figure < self.level
        return False

    def stricter_than(self, other: "Condition") -> bool:
        """Tell whether whatever reaches this one has already passed the other."""
        return self.sense == other.sense and self.level is not None and other.reached(self.level)


def _read_level(text: str) -> Fraction | timedelta:
    return read_share(text) if text.endswith("%") else read_duration(text)


def _read_condition(text: str) -> Condition:
    if text == Sense.EVENT:
        return Condition(Sense.EVENT)
    found = re.fullmatch(r"(?:([a-z][a-z ]{0,40}) )?(above|below) (\S+)(?: for (\S+))?", text)
    if found is None:
        raise ValueError
    lasting = read_duration(found[4]) if found[4] else None
    return Condition(Sense(found[2]), _read_level(found[3]), lasting, found[1])


def write_condition(condition: Condition) -> str:
    """Return a condition as it is written in the playbook."""
    if condition.level is None:
        return condition.sense.value
    level = condition.level
    beyond = percent_text(level) if isinstance(level, Fraction) else write_duration(level)
    of = f"{condition.of} " if condition.of else ""
    lasting = f" for {write_duration(condition.lasting)}" if condition.lasting else ""
    return f"{of}{condition.sense.value} {beyond}{lasting}"


CONDITION = Unit[Condition](
    "a condition such as above 5%, below 30d, cpu above 70% for 2m, or event",
    _read_condition,
    write_condition,
)
