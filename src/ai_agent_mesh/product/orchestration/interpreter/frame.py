"""What is in force while a task runs: its spot, the variables around it, and its deadline."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ai_agent_mesh.product.orchestration.definition.document import child
from ai_agent_mesh.product.orchestration.ports import Spot

Json = Any  # what JSON can say


@dataclass(slots=True)
class Frame:
    """One sequence of tasks under way."""

    spot: Spot
    variables: dict[str, Json] = field(default_factory=dict)
    deadline_s: float | None = None
    _visits: Counter[str] = field(default_factory=Counter)

    def enter(self, name: str) -> Spot:
        """Return the spot of a task of this sequence; a later visit gets a number."""
        self._visits[name] += 1
        visit = self._visits[name]
        segment = child("", name)[1:]
        return self.spot.inside(segment if visit == 1 else f"{segment}#{visit}")

    def within(self, spot: Spot, deadline_s: float | None, **variables: Json) -> "Frame":
        """Return the frame of a sequence inside."""
        return Frame(spot, {**self.variables, **variables}, deadline_s)


def sooner(one: float | None, other: float | None) -> float | None:
    """Return the earlier of two deadlines.

    >>> sooner(None, 3.0), sooner(2.0, 3.0), sooner(None, None)
    (3.0, 2.0, None)
    """
    known = [moment for moment in (one, other) if moment is not None]
    return min(known) if known else None
