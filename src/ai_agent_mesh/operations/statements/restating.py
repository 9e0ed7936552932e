"""Computes a statement again from what a bundle proves, and finds the first figure that differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import msgspec

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import Numbered, Told, as_of, drawn, link_of
from ai_agent_mesh.operations.statements.bundle import canonical
from ai_agent_mesh.operations.statements.counting import Counts
from ai_agent_mesh.operations.statements.model import Correction, Evidence, Planned, Tenure
from ai_agent_mesh.operations.statements.rules import settled_until
from ai_agent_mesh.operations.statements.statement import (
    ADDED,
    LedgerRange,
    Part,
    Statement,
    differences,
)
from ai_agent_mesh.operations.statements.stating import Subject, state
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import Service


@dataclass(frozen=True, slots=True)
class Proven:
    """What the ledger bears out: calls, since when services are watched, maintenance, ranges."""

    counts: Counts
    watched: Mapping[Service, datetime]
    acts: Sequence[Numbered]
    ledger: Sequence[LedgerRange]
    corrections: Sequence[Correction]
    told: Sequence[Told]


def restated(told: Statement, proven: Proven, playbook: Playbook) -> Statement:
    """Return the statement that follows from the evidence.

    What no ledger of the tenant's can prove is taken as told: names, the terms of the contract,
    what was asked for, when it was computed, and incidents; which outages those go with is not.
    """
    works = drawn(proven.acts)
    settled = settled_until(told.computed_at, playbook)
    evidence: list[tuple[Tenure, Evidence]] = []
    for part in told.parts:
        span = Span(part.since, part.until)
        known = as_of(works, settled, span)
        found = proven.counts.evidence(span, proven.watched)
        evidence.append((_tenure(part, span), replace(found, works=known)))
    asked = Span(told.asked_since, told.asked_until)
    subject = Subject(told.tenant, told.tenant_name, told.month, asked)
    planned = Planned(
        link_of(act for act in proven.acts if act.entry.at < settled),
        [one for one in proven.told if one.at < settled],
    )
    return state(
        subject, evidence, proven.ledger, playbook, told.computed_at, proven.corrections, planned,
        told.incidents,
    )  # fmt: skip


def first_untrue(text: str, again: Statement) -> tuple[str, object, object] | None:
    """Return the place of the first figure that differs and both values, in the order of the
    canonical text; null if none does. `text` is what was signed, so that nothing in it is passed
    over, and what an earlier version did not say yet is not asked of it."""
    left, right = (msgspec.json.decode(one) for one in (text, canonical(again)))
    for member in ADDED:
        if member not in left:
            right.pop(member, None)
    if "planned_work" not in left:
        for work in right["maintenance"]:
            del work["notices"]
    return next(differences(left, right), None)


def _tenure(part: Part, span: Span) -> Tenure:
    fees = tuple(
        (Span(fee.since, fee.until), Money(Decimal(fee.amount), fee.currency))
        for fee in part.monthly_fees
    )
    return Tenure(part.tier, span, fees)
