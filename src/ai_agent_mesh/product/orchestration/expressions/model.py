"""What an expression sees, how its evaluation may fail, and the port that evaluates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ai_agent_mesh.kernel.errors import Invalid

Json = Any  # what JSON can say: None, bool, int, float, str, list, dict


class ExpressionFailed(Invalid):
    """{reason}"""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason=reason)
        #: Which of the expressions handed in together.
        self.index = index


@dataclass(frozen=True, slots=True)
class Scope:
    """One evaluation's surroundings: the value of `.`, the variables, and what `now` is."""

    data: Json
    variables: Mapping[str, Json]
    #: Unix seconds, from the run's journal, so that a replay sees the same moment.
    now_s: float


class Expressions(Protocol):
    """Evaluates jq programs, several in one go."""

    async def evaluate(self, programs: Sequence[str], scope: Scope) -> list[Json]:
        """Return each program's single value.

        Raises:
            ExpressionFailed: one failed, took too long or too much, or gave several values.
        """

    async def check(self, programs: Sequence[tuple[str, Sequence[str]]]) -> list[str | None]:
        """Compile each (program, variable names); return what is wrong with it, or None."""
