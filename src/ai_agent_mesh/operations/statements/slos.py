"""Each promise on its own: what was asked, what was reached, and what is left to lose."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.statement import Part, ServiceFigures, Statement
from ai_agent_mesh.sla import PERCENTILES, allowed_budget, budget_left, percent_text

PLATFORM = "platform"


class Slo(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of the running month. Shares are percentages as text, exact to 12 digits."""

    #: `availability`, or `latency` of a category at a percentile.
    kind: str
    #: For availability: a service, or `platform` for all of them together.
    service: str | None = None
    category: str | None = None
    percentile: str | None = None
    threshold_ms: float | None = None
    objective: str
    #: Null when nothing was measured.
    attainment: str | None
    met: bool | None
    #: Of what the objective is a share: `minutes` or `calls`.
    unit: str
    counted: int
    #: Decimal text, cut off after 12 digits: some methods lose parts of minutes.
    missed: str
    #: What is left of the error budget so far, as a share; negative when overspent.
    budget_remaining_ratio: str


def slos(statement: Statement) -> list[Slo]:
    """Return a statement's objectives one by one: the platform, its services, each percentile.

    Availability is that of the last part: the promise that holds now, since it holds.
    """
    return [*_availability(statement), *_latency(statement)]


def _availability(statement: Statement) -> Iterator[Slo]:
    part = statement.parts[-1]
    judged: list[tuple[str, Part | ServiceFigures]] = [(PLATFORM, part)]
    judged += [(one.service, one) for one in part.services]
    for name, one in judged:
        yield Slo(
            kind="availability",
            service=name,
            objective=part.objective,
            attainment=one.availability,
            met=one.met,
            unit="minutes",
            counted=one.minutes.counted,
            missed=one.error_budget.spent_minutes,
            budget_remaining_ratio=one.error_budget.remaining_ratio,
        )


def _latency(statement: Statement) -> Iterator[Slo]:
    for one in statement.latency:
        share = PERCENTILES[one.percentile]
        missed, allowed = one.valid - one.within, allowed_budget(share, one.valid)
        yield Slo(
            kind="latency",
            category=one.category,
            percentile=one.percentile,
            threshold_ms=one.threshold_ms,
            objective=percent_text(share),
            attainment=one.attainment,
            met=one.met,
            unit="calls",
            counted=one.valid,
            missed=str(missed),
            budget_remaining_ratio=decimal_text(budget_left(allowed, Fraction(missed))),
        )
