"""Where each objective of the running month stands: so far, how fast it burns, where that leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives.service import Judged, Objectives
from ai_agent_mesh.operations.objectives.sketches import sketches
from ai_agent_mesh.operations.objectives.windows import Window, left_out, read_days, read_windows
from ai_agent_mesh.operations.planned import Maintenance, excludes
from ai_agent_mesh.operations.statements import (
    Burndown,
    Seen,
    Slo,
    Statement,
    burndown,
    burnt,
    slos,
    with_percentile,
)
from ai_agent_mesh.playbook import Playbook, Urgency
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot

#: By window, the burn rate above which it alarms.
Factors = Mapping[timedelta, Fraction]


@dataclass(frozen=True, slots=True)
class Work:
    """Planned work of the month, past or to come, and whether its minutes are left out."""

    title: str
    span: Span
    services: frozenset[str]
    excluded: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A month so far: what is stated of it, each objective, and how availability's budgets went."""

    statement: Statement
    items: Sequence[Slo]
    burndowns: Sequence[Burndown]
    works: Sequence[Work]


class Standings:
    """The objectives of the running month. `database` is of the operations role."""

    def __init__(self, database: Database, playbook: Playbook, clock: Clock) -> None:
        self._database = database
        self._playbook = playbook
        self._clock = clock
        self._objectives = Objectives(database, playbook, clock)

    async def slos(self, tenant: str) -> Sequence[Slo]:
        """Return every objective of a tenant (by id or name); raises TenantMissing."""
        async with snapshot(self._database) as tx:
            judged = await self._objectives.judged_in(tx, tenant, self._month())
            return await self._items(tx, judged)

    async def standing(self, tenant: str) -> Standing:
        """Return the same with how each budget went over the month; raises TenantMissing."""
        async with snapshot(self._database) as tx:
            judged = await self._objectives.judged_in(tx, tenant, self._month())
            stated, last = judged.statement, judged.evidence[-1]
            items = await self._items(tx, judged)
            # Silence counts in availability, which is judged over the last part.
            days = await read_days(
                tx,
                Span(stated.since, stated.until),
                last.watches,
                left_out(last.works, judged.playbook),
                tenant=stated.tenant,
            )
            works = await touching(tx, self._month().span)
        return assembled(stated, items, days, works, judged.playbook)

    def _month(self) -> Month:
        return self._playbook.measurement.window_of(self._clock.now())

    async def _items(self, tx: Tx, judged: Judged) -> Sequence[Slo]:
        stated, playbook = judged.statement, judged.playbook
        merged = await sketches(tx, Span(stated.since, stated.until), stated.tenant)
        items = [with_percentile(item, merged) for item in slos(stated, playbook)]
        factors = alarming(self._playbook, stated.asked_since)
        return await burning(tx, stated, items, playbook, factors, tenant=stated.tenant)


async def burning(
    tx: Tx,
    stated: Statement,
    items: Sequence[Slo],
    playbook: Playbook,
    factors: Factors,
    *,
    tenant: str | None,
) -> Sequence[Slo]:
    """Return objectives with how fast each burns over the windows that alarm; None means all calls.

    `playbook` judges the month; `factors` are today's.
    """
    if not factors or stated.since == stated.until:
        return items
    read = await read_windows(tx, stated.until, sorted(factors), playbook, tenant=tenant)
    windows = {length: (_seen(read[length], playbook), factors[length]) for length in read}
    return [burnt(item, stated, windows) for item in items]


def assembled(
    stated: Statement,
    items: Sequence[Slo],
    days: Sequence[tuple[Span, Window]],
    works: Sequence[Maintenance],
    playbook: Playbook,
) -> Standing:
    """Return where a month stands, by its days."""
    seen = [(day, _seen(found, playbook)) for day, found in days]
    return Standing(
        stated,
        items,
        [burndown(item, stated, seen) for item in items if item.kind == "availability"],
        [
            Work(
                one.title,
                one.span,
                frozenset(service.value for service in one.named),
                excludes(one, playbook),
            )
            for one in works
            if not one.cancelled
        ],
    )


def alarming(playbook: Playbook, at: datetime) -> Factors:
    """Return the burn rate above which each window alarms, the least where two are as long."""
    period, found = Month.of(at).span.length, dict[timedelta, Fraction]()
    for urgency in Urgency:
        for window in playbook.alerting.burn.of(urgency):
            factor = window.factor(period)
            found[window.length] = min(found.get(window.length, factor), factor)
    return found


def _seen(window: Window, playbook: Playbook) -> Seen:
    """Return a window with the bad calls that its silent minutes stand for."""
    each = MINUTE // playbook.measurement.probe.interval
    return window.calls, {service: n * each for service, n in window.silent.items()}
