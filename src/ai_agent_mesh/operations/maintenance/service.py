"""Announces maintenance and calls it off: the row, its ledger entry and its notice go together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.maintenance.store import MaintenanceStore
from ai_agent_mesh.operations.maintenance.views import MaintenanceView, view
from ai_agent_mesh.operations.notices import Notice, Topic, publish
from ai_agent_mesh.operations.planned import (
    AlreadyCancelled,
    AlreadyOver,
    Draft,
    Link,
    Maintenance,
    MaintenanceMissing,
    PlatformAlone,
    Proof,
    announced,
    cancelled,
    check_draft,
    proof_at,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Entry, Inbox


class MaintenanceCalendar:
    """Planned work, within a transaction: any tenant's to read, the platform's to change."""

    def __init__(self, tx: Tx, playbook: Playbook, clock: Clock, by: str = "") -> None:
        self._tx = tx
        self._store = MaintenanceStore(tx)
        self._playbook = playbook
        self._agreements = Agreements(tx, playbook)
        self._clock = clock
        self._by = by

    async def announce(self, draft: Draft) -> Maintenance:
        """Announce maintenance as of now, to everybody.

        Raises:
            PlatformAlone, MaintenanceInvalid
        """
        self._check_author()
        before, now = await self._next()
        check_draft(draft, now)
        work = Maintenance(
            id=new_id("mnt"),
            title=draft.title.strip(),
            description=draft.description,
            span=Span(draft.since.astimezone(UTC), draft.until.astimezone(UTC)),
            services=None if draft.services is None else frozenset(draft.services),
            announced=proof_at(now),
        )
        await self._store.insert(work, self._by)
        await self._follow(before, announced(work, self._by, self._playbook.digest, before))
        await self._publish("maintenance.announced", work, now)
        return work

    async def cancel(self, work_id: str) -> Maintenance:
        """Call maintenance off, as long as it is not over; then it excludes nothing.

        Raises:
            PlatformAlone, MaintenanceMissing, AlreadyCancelled, AlreadyOver
        """
        self._check_author()
        before, now = await self._next()
        work = await self.get(work_id)
        if work.cancelled is None and now >= work.span.until:
            raise AlreadyOver(maintenance=work.id, at=work.span.until.isoformat())
        proof = proof_at(now)
        # Of two who cancel at once the row lets one through.
        if not await self._store.cancel(work.id, proof, self._by):
            found = (await self.get(work.id)).cancelled
            raise AlreadyCancelled(maintenance=work.id, at=found.at.isoformat() if found else "")
        await self._follow(before, cancelled(work, proof, self._by, self._playbook.digest, before))
        work = replace(work, cancelled=proof)
        await self._publish("maintenance.cancelled", work, now)
        return work

    async def get(self, work_id: str) -> Maintenance:
        """Return one; MaintenanceMissing when there is none of this id."""
        found = await self._store.find(work_id)
        if found is None:
            raise MaintenanceMissing(maintenance=work_id[:100])
        return found

    async def list(self, page: Page) -> Sequence[Maintenance]:
        """Return a page, the newest announcement first, with one more when the list goes on."""
        return await self._store.list(page)

    async def view(self, work: Maintenance) -> MaintenanceView:
        """Return what everybody may know of it now, by the playbook of the month it begins in.

        Raises:
            AgreementUnreadable: this version cannot read that playbook.
        """
        playbook = await self._agreements.of(Month.of(work.span.since))
        return view(work, playbook, self._clock.now())

    async def _next(self) -> tuple[Link, datetime]:
        """Return what the next act follows, and its moment, which is after that of the last."""
        link, last = await self._store.last()
        now = self._clock.now()
        return link, now if last is None else max(now, last + timedelta.resolution)

    async def _follow(self, before: Link, entry: Entry) -> None:
        receipt = await Inbox.insert(self._tx, entry)
        await self._store.follow(before.followed(receipt.digest), Proof(entry.at, entry.id))

    async def _publish(self, kind: str, work: Maintenance, now: datetime) -> None:
        data = msgspec.to_builtins(await self.view(work))
        notice = Notice(new_id("ntc"), Topic.MAINTENANCE, kind, now, work.id, data)
        await publish(self._tx, notice)

    def _check_author(self) -> None:
        if self._tx.tenant_id != PLATFORM_TENANT:
            raise PlatformAlone
