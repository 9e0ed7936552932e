"""Judges tenants: loads the evidence of a span, decides, and states it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.maintenance import acts, reached, told, touching
from ai_agent_mesh.operations.objectives.recount import Recount, corrections
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.planned import (
    Maintenance,
    Told,
    as_of,
    drawn,
    excluded_spans,
    link_of,
)
from ai_agent_mesh.operations.statements import (
    PROBE,
    Evidence,
    LedgerRange,
    Planned,
    Statement,
    Subject,
    Tenure,
    Term,
    judged_span,
    settled_until,
    state,
    tenures,
    terms_of,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot
from ai_agent_mesh.product.identity import Tenants


class SpanAhead(Invalid):
    """{span} has not begun yet."""


class Objectives:
    """What was promised to a tenant, and what was kept. `database` is of the operations role."""

    def __init__(self, database: Database, playbook: Playbook, clock: Clock) -> None:
        self._database = database
        self._playbook = playbook
        self._clock = clock

    async def statement(self, tenant: str, asked: Month | Span) -> Statement:
        """State a month or any span of a tenant (by id or name), from the roll-ups.

        Minutes that are not over, or from before the tenant began, are not judged.

        Raises:
            TenantMissing, SpanAhead
        """
        async with snapshot(self._database) as tx:
            return await self.statement_in(tx, tenant, asked)

    async def statement_in(self, tx: Tx, tenant: str, asked: Month | Span) -> Statement:
        """State as `statement` does, as one transaction of the operations role sees it."""
        return (await self.judged_in(tx, tenant, asked))[0]

    async def judged_in(
        self, tx: Tx, tenant: str, asked: Month | Span
    ) -> tuple[Statement, Sequence[Evidence]]:
        """State as `statement_in` does; return what each part was judged by as well."""
        now = self._clock.now()
        subject, span = await self._subject(tx, tenant, asked, now)
        works = await touching(tx, span)
        evidence = [
            (tenure, await self._evidence(tx, subject, tenure, works, now))
            for tenure in await self._tenures(tx, subject.tenant, span)
        ]
        settled = settled_until(now, self._playbook)
        planned = Planned(await reached(tx, settled), await _told(tx, subject, evidence, settled))
        stated = await self._state(tx, subject, evidence, now, planned)
        return stated, [found for _, found in evidence]

    async def recount(
        self, stated: Statement, progress: Callable[[int], None] | None = None
    ) -> Statement:
        """State the same span again from the ledger's entries alone.

        `progress` hears how many entries are read.

        Raises:
            EntryUnreadable: bytes in the ledger are not an entry.
            ThresholdsLost: a playbook that entries were judged by is not kept.
        """
        span = Span(stated.since, stated.until)
        async with snapshot(self._database) as tx:
            recount = Recount(tx, progress)
            said = await acts(tx)
            works, settled = drawn(said), settled_until(stated.computed_at, self._playbook)
            counts = await recount.counts(span, tenant=stated.tenant)
            watched = await recount.watched(span.until)
            evidence = [
                (tenure, replace(found, works=self._known(works, tenure.span, stated.computed_at)))
                for tenure in await self._tenures(tx, stated.tenant, span)
                for found in [counts.evidence(tenure.span, watched)]
            ]
            asked = Span(stated.asked_since, stated.asked_until)
            subject = Subject(stated.tenant, stated.tenant_name, stated.month, asked)
            link = link_of(act for act in said if act.entry.at < settled)
            planned = Planned(link, await _told(tx, subject, evidence, settled))
            return await self._state(tx, subject, evidence, self._clock.now(), planned)

    async def tenants(self) -> list[str]:
        """Return the ids of every customer, oldest first."""
        async with self._database.transaction() as tx:
            return await ObjectiveStore(tx).tenants()

    def _known(
        self, works: Sequence[Maintenance], span: Span, now: datetime
    ) -> tuple[Maintenance, ...]:
        """Return what was settled of maintenance, as minutes are, when a statement was computed."""
        return as_of(works, settled_until(now, self._playbook), span)

    async def _subject(
        self, tx: Tx, tenant: str, asked: Month | Span, now: datetime
    ) -> tuple[Subject, Span]:
        month = str(asked) if isinstance(asked, Month) else None
        whole = asked.span if isinstance(asked, Month) else asked
        if whole.since > now:
            name = month or whole.since.isoformat()
            raise SpanAhead(span=name, faults=[Fault("month", "must have begun")])
        found = await Tenants(tx, self._clock).get(tenant)
        span = judged_span(whole, found.created_at, settled_until(now, self._playbook))
        return Subject(found.id, found.name, month, whole), span

    async def _tenures(self, tx: Tx, tenant: str, span: Span) -> tuple[Tenure, ...]:
        terms = await Tenants(tx, self._clock).terms(tenant)
        return tenures([Term(one.since, one.tier, one.monthly_fee) for one in terms], span)

    async def _evidence(
        self,
        tx: Tx,
        subject: Subject,
        tenure: Tenure,
        works: Sequence[Maintenance],
        now: datetime,
    ) -> Evidence:
        known = self._known(works, tenure.span, now)
        return await ObjectiveStore(tx).evidence(
            tenure.span,
            terms_of(tenure.tier, self._playbook),
            tenant=subject.tenant,
            works=known,
            excluded=excluded_spans(known, self._playbook),
        )

    async def _state(
        self,
        tx: Tx,
        subject: Subject,
        evidence: Sequence[tuple[Tenure, Evidence]],
        now: datetime,
        planned: Planned,
    ) -> Statement:
        store = ObjectiveStore(tx)
        span = Span(evidence[0][0].span.since, evidence[-1][0].span.until)
        ledger = [
            LedgerRange(who, found.first_number, found.last_number, found.entries)
            for who in (subject.tenant, PROBE)
            for found in [await store.entry_range(who, span)]
        ]
        made = await corrections(tx, span, subject.tenant)
        return state(subject, evidence, ledger, self._playbook, now, made, planned)


async def _told(
    tx: Tx, subject: Subject, evidence: Sequence[tuple[Tenure, Evidence]], settled: datetime
) -> Sequence[Told]:
    works = {work for _, found in evidence for work in found.works}
    return await told(tx, subject.tenant, works, settled)
