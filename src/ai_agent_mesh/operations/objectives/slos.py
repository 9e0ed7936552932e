"""Each promise on its own: what was asked, what was reached, and what is left to lose."""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from ai_agent_mesh.operations.objectives.statement import Statement
from ai_agent_mesh.operations.objectives.stating import decimal_text
from ai_agent_mesh.playbook import Playbook
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
    missed: int
    #: What is left of the error budget so far, as a share; negative when overspent.
    budget_remaining_ratio: str


def slos(statement: Statement, playbook: Playbook) -> list[Slo]:
    """Return a statement's objectives one by one: the platform, its services, each percentile."""
    return [*_availability(statement, playbook), *_latency(statement)]


def _availability(statement: Statement, playbook: Playbook) -> Iterator[Slo]:
    objective = playbook.tiers[statement.tier].uptime
    whole = (PLATFORM, statement.minutes, statement.availability)
    services = [(one.service, one.minutes, one.availability) for one in statement.services]
    for name, minutes, availability in [whole, *services]:
        counted, missed = minutes.counted, minutes.unavailable
        met = 1 - Fraction(missed, counted) >= objective if counted else None
        yield Slo(
            kind="availability",
            service=name,
            objective=percent_text(objective),
            attainment=availability,
            met=met,
            unit="minutes",
            counted=counted,
            missed=missed,
            budget_remaining_ratio=_left(objective, counted, missed),
        )


def _latency(statement: Statement) -> Iterator[Slo]:
    for one in statement.latency:
        share = PERCENTILES[one.percentile]
        missed = one.valid - one.within
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
            missed=missed,
            budget_remaining_ratio=_left(share, one.valid, missed),
        )


def _left(objective: Fraction, counted: int, missed: int) -> str:
    return decimal_text(budget_left(allowed_budget(objective, counted), Fraction(missed)))
