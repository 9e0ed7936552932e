"""Each promise on its own: what was asked, what was reached, and what is left to lose."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction

import msgspec

from ai_agent_mesh.kernel.spans import MINUTE
from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.statement import Part, ServiceFigures, Statement
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import PERCENTILES, Sketch, allowed_budget, budget_left, percent_text

PLATFORM = "platform"


class Burning(msgspec.Struct, frozen=True, kw_only=True):
    """How fast an error budget was spent over one window, up to the last minute that is settled."""

    window: str
    valid: int
    bad: int
    #: Bad share / (1 - objective), as decimal text cut off after 12 digits: 1 spends just the
    #: budget. Null without calls; `infinite` where nothing may fail and something did.
    rate: str | None
    #: The rate above which this window alarms, likewise; null where no traffic could reach it.
    alarms_above: str | None


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """Two ways in which the month may end: nothing more fails; or its rest burns as the longest
    window did."""

    #: What is left now of the whole month's budget, and at its end if nothing more fails; negative
    #: when overspent.
    month_remaining_ratio: str
    #: What will be left if the rest burns as the longest window did.
    projected_remaining_ratio: str
    #: When nothing will be left; null when that is not before the month's end.
    exhausted_at: datetime | None


class Slo(msgspec.Struct, frozen=True, kw_only=True):
    """One objective of the running month. Shares are percentages as text, exact to 12 digits."""

    #: `availability`, or `latency` of a category at a percentile.
    kind: str
    #: For availability: a service, or `platform` for all of them together.
    service: str | None = None
    category: str | None = None
    percentile: str | None = None
    threshold_ms: float | None = None
    #: The percentile itself, from the merged sketches: within 1% of a latency that was. For people
    #: to look at; `attainment` is exact, and what is judged. Null without calls.
    percentile_ms: float | None = None
    objective: str
    #: Null when nothing was measured.
    attainment: str | None
    met: bool | None
    #: Of what the objective is a share: `minutes` or `calls`.
    unit: str
    counted: int
    #: Decimal text, cut off after 12 digits: some methods lose parts of minutes.
    missed: str
    #: How many of those might be missed so far; and of minutes, by the month's end.
    allowed: str
    allowed_by_the_end: str | None = None
    #: Minutes that the objective lets be lost in all of this month, and in a year of the playbook's
    #: length; null for latency, which is told in calls.
    allowed_this_month: str | None = None
    allowed_in_a_year: str | None = None
    #: What is left of the error budget so far, as a share; negative when overspent.
    budget_remaining_ratio: str
    #: How fast the budget is spent, over each window that alarms, shortest first.
    burn: tuple[Burning, ...] = ()
    #: Null without a measurement in the longest window.
    ahead: Ahead | None = None


def slos(statement: Statement, playbook: Playbook) -> list[Slo]:
    """Return a statement's objectives one by one: the platform, its services, each percentile.

    Availability is that of the last part: the promise that holds now, since it holds.
    """
    return [*_availability(statement, playbook), *_latency(statement)]


def with_percentile(slo: Slo, sketches: Mapping[str, Mapping[int, int]]) -> Slo:
    """Return a latency objective with its percentile, by the merged sketch of its category."""
    if slo.category is None or slo.percentile is None:
        return slo
    found = Sketch.quantile(sketches.get(slo.category, {}), PERCENTILES[slo.percentile])
    shown = None if found is None else round(found / 1_000, 3)
    return msgspec.structs.replace(slo, percentile_ms=shown)


def _availability(statement: Statement, playbook: Playbook) -> Iterator[Slo]:
    part = statement.parts[-1]
    uptime, month = playbook.tiers[part.tier].uptime, statement.asked_until - statement.asked_since
    monthly, yearly = (
        decimal_text(allowed_budget(uptime, Fraction(length / MINUTE)))
        for length in (month, playbook.measurement.year)
    )
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
            allowed=one.error_budget.allowed_minutes,
            allowed_by_the_end=one.error_budget.allowed_by_the_end,
            allowed_this_month=monthly,
            allowed_in_a_year=yearly,
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
            allowed=decimal_text(allowed),
            budget_remaining_ratio=decimal_text(budget_left(allowed, Fraction(missed))),
        )
