"""Where each objective of the running month stands: so far, how fast it burns, where that leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives.service import Objectives
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
            stated = await self._objectives.statement_in(tx, tenant, self._month())
            return await self._burnt(tx, stated)

    async def standing(self, tenant: str) -> Standing:
        """Return the same with how each budget went over the month; raises TenantMissing."""
        async with snapshot(self._database) as tx:
            stated, evidence = await self._objectives.judged_in(tx, tenant, self._month())
            items = await self._burnt(tx, stated)
            # Silence counts in availability, which is judged over the last part.
            days = await read_days(
                tx,
                Span(stated.since, stated.until),
                evidence[-1].watches,
                left_out(evidence[-1].works, self._playbook),
                tenant=stated.tenant,
            )
            works = await touching(tx, self._month().span)
        seen = [(day, self._seen(found)) for day, found in days]
        lines = [burndown(item, stated, seen) for item in items if item.kind == "availability"]
        return Standing(
            stated, items, lines, [self._work(one) for one in works if not one.cancelled]
        )

    def _work(self, one: Maintenance) -> Work:
        services = frozenset(service.value for service in one.named)
        return Work(one.title, one.span, services, excludes(one, self._playbook))

    def _month(self) -> Month:
        return self._playbook.measurement.window_of(self._clock.now())

    async def _burnt(self, tx: Tx, stated: Statement) -> Sequence[Slo]:
        span = Span(stated.since, stated.until)
        merged = await sketches(tx, span, stated.tenant)
        items = [with_percentile(item, merged) for item in slos(stated, self._playbook)]
        factors = self._factors(stated.asked_since)
        if not factors or not span.length:
            return items
        read = await read_windows(
            tx, span.until, sorted(factors), self._playbook, tenant=stated.tenant
        )
        windows = {length: (self._seen(read[length]), factors[length]) for length in read}
        return [burnt(item, stated, windows) for item in items]

    def _factors(self, at: datetime) -> Mapping[timedelta, Fraction]:
        """Return the burn rate above which each window alarms, the least where two are as long."""
        period, found = Month.of(at).span.length, dict[timedelta, Fraction]()
        for urgency in Urgency:
            for window in self._playbook.alerting.burn.of(urgency):
                factor = window.factor(period)
                found[window.length] = min(found.get(window.length, factor), factor)
        return found

    def _seen(self, window: Window) -> Seen:
        """Return a window with the bad calls that its silent minutes stand for."""
        each = MINUTE // self._playbook.measurement.probe.interval
        return window.calls, {service: n * each for service, n in window.silent.items()}
