"""What the interpreter asks of its run: to do outside tasks durably, and to note the others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from ai_agent_mesh.product.orchestration.definition import Task

Json = Any  # what JSON can say

State = Literal["running", "waiting", "completed", "faulted", "cancelled", "skipped"]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a run an execution of a task stands.

    `key` names it once and for all; `effect` leaves out which attempt of a `try` it is, so a
    repeated attempt offers the outside the same idempotency key.
    """

    key: str
    effect: str
    attempt: int

    def inside(self, segment: str, *, attempt: int | None = None) -> "Spot":
        """Return the spot of something within; an attempt's number stays out of the effect."""
        if attempt is None:
            return Spot(f"{self.key}/{segment}", f"{self.effect}/{segment}", self.attempt)
        return Spot(f"{self.key}/{segment}@{attempt}", f"{self.effect}/{segment}", attempt)


@dataclass(frozen=True, slots=True)
class Step:
    """One outside task, ready to be done: its arguments are evaluated."""

    spot: Spot
    task: Task
    kind: str
    arguments: Json
    #: Unix seconds after which it counts as timed out.
    deadline_s: float | None = None


class Parked(Exception):  # noqa: N818 - nothing is wrong
    """The run waits for something; its next segment goes on when that has come."""


class Outside(Protocol):
    """Does outside tasks once, and remembers them."""

    @property
    def now_s(self) -> float:
        """Return the moment of the latest remembered thing, in Unix seconds: what `now` is."""
        ...

    @property
    def since(self) -> datetime:
        """Return when the run was started, or resumed last: where its time limits begin."""
        ...

    async def perform(self, step: Step) -> Json:
        """Return the task's output, remembered from an earlier time or got now.

        Raises:
            Raised: the task failed, now or then.
            Parked: it waits, and no longer in this segment.
        """
        ...

    def note(self, spot: Spot, task: Task, state: State, value: Json = None) -> None:
        """Remember how an inside task stands; it is written with the next thing that is."""
        ...
