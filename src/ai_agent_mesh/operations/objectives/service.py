"""Judges tenants: loads the evidence of a span, decides, and states it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ai_agent_mesh.evidence import thresholds
from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.incidents import Act, Incident, known, recorded
from ai_agent_mesh.operations.incidents import touching as said_of
from ai_agent_mesh.operations.maintenance import reached, told, touching
from ai_agent_mesh.operations.objectives.recount import Recount, corrections
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.planned import (
    Link,
    Maintenance,
    as_of,
    drawn,
    excluded_spans,
    link_of,
)
from ai_agent_mesh.operations.statements import (
    PROBE,
    Evidence,
    IncidentFigures,
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
from ai_agent_mesh.product.ledger import acts


class SpanAhead(Invalid):
    """{span} has not begun yet."""


@dataclass(frozen=True, slots=True)
class _Case:
    """Whose span is judged, which whole minutes of it, as of when, and by which playbook."""

    subject: Subject
    span: Span
    now: datetime
    playbook: Playbook

    @property
    def settled(self) -> datetime:
        """Return up to when minutes and acts can be judged."""
        return settled_until(self.now, self.playbook)

    def known(self, works: Sequence[Maintenance], span: Span) -> tuple[Maintenance, ...]:
        """Return what was settled of maintenance, as minutes are."""
        return as_of(works, self.settled, span)


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement, and what it was judged by: the evidence of each part, and the playbook."""

    statement: Statement
    evidence: Sequence[Evidence]
    playbook: Playbook


class Objectives:
    """What was promised to a tenant, and what was kept. `database` is of the operations role.

    Each month is judged by its own playbook; `playbook` is the one that this process runs under.
    With `supposed` it judges every month, to see what that would have made of it.
    """

    def __init__(
        self, database: Database, playbook: Playbook, clock: Clock, *, supposed: bool = False
    ) -> None:
        self._database = database
        self._playbook = playbook
        self._clock = clock
        self._supposed = supposed

    async def statement(self, tenant: str, asked: Month | Span) -> Statement:
        """State a month or any span of a tenant (by id or name), from the roll-ups.

        Minutes that are not over, or from before the tenant began, are not judged.

        Raises:
            TenantMissing, SpanAhead
            SeveralAgreements: the span reaches into a month that another playbook judges.
            AgreementUnreadable: this version cannot read the playbook that judges it.
        """
        async with snapshot(self._database) as tx:
            return await self.statement_in(tx, tenant, asked)

    async def statement_in(self, tx: Tx, tenant: str, asked: Month | Span) -> Statement:
        """State as `statement` does, as one transaction of the operations role sees it."""
        return (await self.judged_in(tx, tenant, asked)).statement

    async def judged_in(self, tx: Tx, tenant: str, asked: Month | Span) -> Judged:
        """State as `statement_in` does; return what it was judged by as well."""
        case = await self._case(tx, tenant, asked)
        works = await touching(tx, case.span)
        evidence = [
            (tenure, await self._evidence(tx, case, tenure, works))
            for tenure in await self._tenures(tx, case.subject.tenant, case.span)
        ]
        link, said = await reached(tx, case.settled), await said_of(tx, case.span, case.settled)
        stated = await self._state(tx, case, evidence, link, said)
        return Judged(stated, [found for _, found in evidence], case.playbook)

    async def recount(
        self, stated: Statement, progress: Callable[[int], None] | None = None
    ) -> Statement:
        """State the same span again from the ledger's entries alone.

        `progress` hears how many entries are read.

        Raises:
            EntryUnreadable: bytes in the ledger are not an entry.
            SeveralAgreements, AgreementUnreadable: as `statement`.
        """
        span = Span(stated.since, stated.until)
        asked = Span(stated.asked_since, stated.asked_until)
        subject = Subject(stated.tenant, stated.tenant_name, stated.month, asked)
        async with snapshot(self._database) as tx:
            began = (await Tenants(tx, self._clock).get(stated.tenant)).created_at
            playbook = await self._agreed(tx, asked, began, stated.computed_at)
            case = _Case(subject, span, stated.computed_at, playbook)
            recount = Recount(tx, progress)
            said = await acts(tx)
            works = drawn(said)
            counts = await recount.counts(span, thresholds(playbook), tenant=stated.tenant)
            watched = await recount.watched(span.until)
            evidence = [
                (tenure, replace(found, works=case.known(works, tenure.span)))
                for tenure in await self._tenures(tx, stated.tenant, span)
                for found in [counts.evidence(tenure.span, watched)]
            ]
            link = link_of(act for act in said if act.entry.at < case.settled)
            return await self._state(tx, case, evidence, link, await recorded(tx))

    async def tenants(self) -> list[str]:
        """Return the ids of every customer, oldest first."""
        async with self._database.transaction() as tx:
            return await ObjectiveStore(tx).tenants()

    async def _case(self, tx: Tx, tenant: str, asked: Month | Span) -> _Case:
        now = self._clock.now()
        month = str(asked) if isinstance(asked, Month) else None
        whole = asked.span if isinstance(asked, Month) else asked
        if whole.since > now:
            name = month or whole.since.isoformat()
            raise SpanAhead(span=name, faults=[Fault("month", "must have begun")])
        found = await Tenants(tx, self._clock).get(tenant)
        playbook = await self._agreed(tx, whole, found.created_at, now)
        span = judged_span(whole, found.created_at, settled_until(now, playbook))
        return _Case(Subject(found.id, found.name, month, whole), span, now, playbook)

    async def _agreed(self, tx: Tx, asked: Span, began: datetime, now: datetime) -> Playbook:
        """Return the playbook that judges what there can be of an asked span."""
        if self._supposed:
            return self._playbook
        since = max(asked.since, began)
        over = Span(since, max(since, min(asked.until, now)))
        return await Agreements(tx, self._playbook).over(over)

    async def _tenures(self, tx: Tx, tenant: str, span: Span) -> tuple[Tenure, ...]:
        terms = await Tenants(tx, self._clock).terms(tenant)
        return tenures([Term(one.since, one.tier, one.monthly_fee) for one in terms], span)

    async def _evidence(
        self, tx: Tx, case: _Case, tenure: Tenure, works: Sequence[Maintenance]
    ) -> Evidence:
        known = case.known(works, tenure.span)
        return await ObjectiveStore(tx).evidence(
            tenure.span,
            terms_of(tenure.tier, case.playbook),
            tenant=case.subject.tenant,
            works=known,
            excluded=excluded_spans(known, case.playbook),
        )

    async def _state(
        self,
        tx: Tx,
        case: _Case,
        evidence: Sequence[tuple[Tenure, Evidence]],
        link: Link,
        said: Sequence[Act],
    ) -> Statement:
        store, subject = ObjectiveStore(tx), case.subject
        span = Span(evidence[0][0].span.since, evidence[-1][0].span.until)
        ledger = [
            LedgerRange(who, found.first_number, found.last_number, found.entries)
            for who in (subject.tenant, PROBE)
            for found in [await store.entry_range(who, span)]
        ]
        made = await corrections(tx, span, subject.tenant)
        works = {work for _, found in evidence for work in found.works}
        planned = Planned(link, await told(tx, subject.tenant, works, case.settled))
        incidents = tuple(map(_told_of, known(said, case.settled, span)))
        return state(subject, evidence, ledger, case.playbook, case.now, made, planned, incidents)


def _told_of(one: Incident) -> IncidentFigures:
    return IncidentFigures(
        id=one.id,
        title=one.title,
        severity=one.severity.value,
        services=tuple(service.value for service in one.services),
        began_at=one.began_at,
        resolved_at=one.resolved_at,
        cause=one.cause,
    )
