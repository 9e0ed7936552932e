"""The public overview, read at most every few seconds and never lost when the database is."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import structlog

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.incidents import IncidentStore, view
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives import ObjectiveStore
from ai_agent_mesh.operations.planned import FURTHEST
from ai_agent_mesh.operations.statements import Evidence, joined, settled_until
from ai_agent_mesh.operations.status.model import Overview
from ai_agent_mesh.operations.status.rules import DAYS, RECENT, overview_of, stale, unread
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.sla import Method, Service

log = structlog.get_logger(__name__)

#: How long an overview is shown again, and how long a reader waits for a new one. Closed days
#: change only when an entry comes late, so they are read less often.
FRESH_S = 5.0
PATIENCE_S = 2.0
CLOSED_DAYS_S = 300.0


class Status:
    """The state of the core services, for everybody."""

    def __init__(self, database: Database, playbook: Playbook, clock: Clock) -> None:
        self._database = database
        self._playbook = playbook
        # Which minutes are read: by this method none singly, whatever its figures are.
        self._terms = playbook.measurement.terms(Method.PERIOD)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known = unread(tuple(Service))
        self._read_at = float("-inf")
        self._closed: tuple[Span, float, Evidence] | None = None

    async def overview(self) -> Overview:
        """Return the present overview, at most a few seconds old.

        One reader asks the database for all who wait. When it does not answer in time, the last
        known overview is returned, marked stale.
        """
        async with self._lock:
            if time.monotonic() - self._read_at < FRESH_S:
                return self._known
            try:
                async with asyncio.timeout(PATIENCE_S):
                    self._known = await self._read()
            except (Fact, TimeoutError, OSError) as error:
                log.warning("status.stale", reason=str(error) or type(error).__name__)
                self._known = stale(self._known)
            self._read_at = time.monotonic()
            return self._known

    async def _read(self) -> Overview:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            agreements, store = Agreements(tx, self._playbook), ObjectiveStore(tx)
            until = settled_until(now, await agreements.of(Month.of(now)))
            today = until.replace(hour=0, minute=0)
            closed = Span(today - timedelta(days=DAYS - 1), today)
            before = await self._closed_days(store, closed)
            open_day = await store.evidence(Span(today, until), self._terms, tenant=None)
            heard = await store.heard_since()
            works = await touching(tx, Span(closed.since, now + FURTHEST))
            months = {*Span(closed.since, now).months, *(Month.of(one.span.since) for one in works)}
            agreed = await agreements.by_month(months)
            incidents = await IncidentStore(tx).since(now - RECENT)
        evidence = replace(joined(before, open_day), works=tuple(works))
        told = [view(one, self._playbook, inside=False) for one in incidents]
        return replace(overview_of(evidence, heard, agreed, now), incidents=told)

    async def _closed_days(self, store: ObjectiveStore, span: Span) -> Evidence:
        kept = self._closed
        if kept and kept[0] == span and time.monotonic() - kept[1] < CLOSED_DAYS_S:
            return kept[2]
        evidence = await store.evidence(span, self._terms, tenant=None)
        self._closed = (span, time.monotonic(), evidence)
        return evidence
