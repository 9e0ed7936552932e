"""Closes months and spans: states them, and books what is owed with its ledger entry, once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Conflict, Fact
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.credits.model import Closing, Counted, Ruled
from ai_agent_mesh.operations.credits.rules import (
    booked_in,
    closable,
    differences,
    figures_digest,
    owed_by,
    paying,
    still_corrected,
)
from ai_agent_mesh.operations.credits.store import ClosingStore
from ai_agent_mesh.operations.objectives import Objectives
from ai_agent_mesh.operations.statements import Statement, settled_until
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind

#: Whom the ledger names where the platform closes by itself.
ITSELF = "platform"

_log = get_logger("credits")


class CreditDiffers(Conflict):
    """{booked} is booked for {span} of {tenant}, but the ledger's entries give {owed}."""


class NotOver(Conflict):
    """{span} is not over, or its last minute is not settled yet; it cannot be closed."""


class MonthClosed(Conflict):
    """{span} lies in {month}, which is closed: its credit holds all of its minutes."""


class NothingJudged(Conflict):
    """{tenant} has no judged minute in {span}; there is nothing to close."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A closing, and whether it is new."""

    closing: Closing
    new: bool


class Credits:
    """Credits of every tenant. A closing is one transaction of its tenant, with its entry."""

    def __init__(
        self, app: Database, operations: Database, playbook: Playbook, clock: Clock
    ) -> None:
        self._app = app
        self._operations = operations
        self._playbook = playbook
        self._clock = clock
        self._objectives = Objectives(operations, playbook, clock)

    async def close(self, tenant: str, asked: Month | Span, by: str = ITSELF) -> Closed:
        """Close a month or a span of a tenant (by id or name), or correct its last closing.

        Where nothing has changed since, the last closing is returned again.

        Raises:
            TenantMissing, SpanAhead
            NotOver: minutes of it may still change.
            NothingJudged: the tenant began later.
            MonthClosed: a span lies in a month that is closed, and is part of its credit.
        """
        async with snapshot(self._operations) as tx:
            # What was seen and what it added up to are of one moment: what comes after is noticed.
            statement = await self._objectives.statement_in(tx, tenant, asked)
            whole = asked.span if isinstance(asked, Month) else _judged(statement)
            store = ClosingStore(tx)
            found = await store.evidence(whole)
            closed = await store.closed_month(statement.tenant, whole)
        name = (
            statement.month or f"{statement.asked_since:%F %R} to {statement.asked_until:%F %R} UTC"
        )
        if statement.so_far:
            raise NotOver(span=name)
        if statement.since == statement.until:
            raise NothingJudged(tenant=statement.tenant_name, span=name)
        if closed and not isinstance(asked, Month):
            raise MonthClosed(span=name, month=closed)
        evidence = found.get(statement.tenant, found[""])
        try:
            return await self._book(statement, whole, evidence, by)
        except asyncpg.UniqueViolationError:  # another process was quicker; its closing stands
            return await self._book(statement, whole, evidence, by)

    async def close_due(self, now: datetime) -> int:
        """Close every month that is over, and correct those whose evidence has changed since.

        Returns how many closings were booked. Safe to run from several workers at once.
        """
        done = 0
        for tenant, month in await self.due(now):
            try:
                done += (await self.close(tenant, month)).new
            except NothingJudged:  # it came to the tier in the month's last moment
                continue
            except Fact as fact:  # one tenant's trouble must not keep the others' credits
                _log.error("credits.not_closed", tenant=tenant, month=str(month), why=fact.detail)
        return done

    async def check(self, recounted: Statement) -> list[Closing]:
        """Hold what was booked for a statement's span against the same statement, recounted.

        Returns the closings of that span; none when it was never closed.

        Raises:
            CreditDiffers: evidence that came since is not booked yet, or somebody tampered with it.
        """
        span = Span(recounted.since, recounted.until)
        whole = Month.parse(recounted.month).span if recounted.month else span
        async with self._operations.transaction() as tx:
            within = await ClosingStore(tx).inside(recounted.tenant, whole)
        closings = [one for one in within if one.span == whole]
        if closings and (missing := differences(owed_by(recounted), booked_in(within))):
            owed = {one.currency: one.amount for one in recounted.credit}
            raise CreditDiffers(
                span=recounted.month or f"{span.since:%F %R} to {span.until:%F %R} UTC",
                tenant=recounted.tenant_name,
                booked=_amounts({c: f"{a:f}" for c, a in booked_in(within).items()}),
                owed=_amounts({one.currency: "0.00" for one in missing} | owed),
            )
        return closings

    async def due(self, now: datetime) -> list[tuple[str, Month]]:
        """Return by tenant the months that are over and not closed, or to be corrected."""
        async with self._operations.transaction() as tx:
            store = ClosingStore(tx)
            began = min(await store.began() or now, now)
            agreed = await self._agreed(tx, Span(began, now).months, now)
            promised = await store.promised(paying(agreed.values()), now)
            candidates = closable(promised, agreed)
            seen = {(one.tenant, one.month): one.evidence for one in await store.seen()}
            due = [pair for pair in candidates if pair not in seen]
            again = [pair for pair in candidates if pair in seen]
            for month in sorted({month for _, month in again}):
                if still_corrected(month, now, agreed[month].measurement.corrected_within):
                    found = await store.evidence(month.span)
                    due += [
                        (tenant, month)
                        for tenant, of in again
                        if of == month and found.get(tenant, found[""]) != seen[tenant, month]
                    ]
        return due

    async def _agreed(
        self, tx: Tx, months: Iterable[Month], now: datetime
    ) -> Mapping[Month, Playbook]:
        """Return the playbooks of those months whose last minute is settled."""
        agreements, found = Agreements(tx, self._playbook), dict[Month, Playbook]()
        for month in months:
            if now < month.until:
                break
            try:
                playbook = await agreements.of(month)
            except Fact as fact:  # one month that cannot be read must not keep the others' credits
                _log.error("credits.not_closed", month=str(month), why=fact.detail)
                continue
            if month.until <= settled_until(now, playbook):
                found[month] = playbook
        return found

    async def _book(self, statement: Statement, span: Span, evidence: str, by: str) -> Closed:
        async with self._app.tenant(statement.tenant) as tx:
            store = ClosingStore(tx)
            before = await store.inside(statement.tenant, span)
            same = [one for one in before if one.span == span]
            closing = _closing(statement, span, before, same, self._clock.now(), by)
            if same and not closing.booked and closing.statement == same[-1].statement:
                return Closed(same[-1], new=False)
            await store.insert(closing, evidence)
            await Inbox.insert(tx, _entry(closing, self._playbook.digest))
        return Closed(closing, new=True)


def _judged(statement: Statement) -> Span:
    return Span(statement.since, statement.until)


def _amounts(by_currency: Mapping[str, str]) -> str:
    return ", ".join(f"{amount} {name}" for name, amount in by_currency.items()) or "nothing"


def _closing(
    statement: Statement,
    span: Span,
    before: list[Closing],
    same: list[Closing],
    now: datetime,
    by: str,
) -> Closing:
    return Closing(
        id=new_id("cls"),
        tenant=statement.tenant,
        month=statement.month,
        since=span.since,
        until=span.until,
        ordinal=len(same),
        closed_at=now,
        closed_by=by,
        parts=tuple(
            Ruled(
                since=part.since,
                until=part.until,
                tier=part.tier,
                objective=part.objective,
                availability=part.availability,
                availability_fraction=part.availability_fraction,
                credit_percent=part.credit_percent,
            )
            for part in statement.parts
        ),
        booked=differences(owed_by(statement), booked_in(before)),
        statement=figures_digest(statement),
        playbook=statement.playbook,
        ledger=tuple(
            Counted(one.tenant, one.first_number, one.last_number, one.entries)
            for one in statement.ledger
        ),
        entry=new_id("ent"),
    )


def _entry(closing: Closing, playbook: str) -> Entry:
    """Return the ledger entry that books a closing: all that matters of it is in there."""
    booked = {f"booked_{one.currency}": f"{one.amount:f}" for one in closing.booked}
    owed = {f"owed_{one.currency}": one.owed for one in closing.booked}
    return Entry(
        id=closing.entry,
        kind=Kind.ACT,
        tenant=closing.tenant,
        at=closing.closed_at,
        actor=closing.closed_by,
        object=closing.id,
        playbook=playbook,
        detail={
            "act": "credit.correct" if closing.ordinal else "credit.close",
            "since": closing.since.isoformat(),
            "until": closing.until.isoformat(),
            "month": closing.month or "",
            "statement": closing.statement,
            "percent": ", ".join(part.credit_percent or "-" for part in closing.parts),
            **booked,
            **owed,
        },
    )
