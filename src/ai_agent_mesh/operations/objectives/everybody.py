"""Where the platform stands with everybody, for everybody to see: read at times, never lost."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime

import structlog
from msgspec import structs

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives.standing import Standing, alarming, assembled, burning
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.objectives.sums import Spans
from ai_agent_mesh.operations.objectives.windows import Window, left_out, read_days
from ai_agent_mesh.operations.planned import Maintenance, as_of, excluded_spans
from ai_agent_mesh.operations.statements import (
    Evidence,
    Statement,
    Subject,
    Tenure,
    judged_span,
    settled_until,
    slos,
    state,
    terms_of,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot
from ai_agent_mesh.sla import Method

log = structlog.get_logger(__name__)

#: How long it is shown again, and how long a reader waits for a new one. Days that are over change
#: only when an entry comes late, and of everybody's calls there is no sum of a day: they are kept.
FRESH_S = 30.0
PATIENCE_S = 5.0
CLOSED_DAYS_S = 600.0

_ALL = "platform"


class Everybody:
    """All tenants' calls and the probe's, judged as a tier that `kpis.platform.uptime` is promised.

    `database` is of the operations role.
    """

    def __init__(self, database: Database, playbook: Playbook, clock: Clock) -> None:
        self._database = database
        self._playbook = playbook
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: Standing | None = None
        self._fresh = False
        self._read_at = float("-inf")
        self._closed: tuple[object, float, Sequence[tuple[Span, Window]]] | None = None

    async def standing(self) -> tuple[Standing | None, bool]:
        """Return where the month stands, and whether that is the present.

        One reader asks the database for all who wait. When it does not answer in time the last
        known standing is returned; None when there never was one.
        """
        async with self._lock:
            if time.monotonic() - self._read_at < FRESH_S:
                return self._known, self._fresh
            try:
                async with asyncio.timeout(PATIENCE_S):
                    self._known, self._fresh = await self._read(), True
            except (Fact, TimeoutError, OSError) as error:
                log.warning("objectives.stale", reason=str(error) or type(error).__name__)
                self._fresh = False
            self._read_at = time.monotonic()
            return self._known, self._fresh

    async def _read(self) -> Standing:
        now = self._clock.now()
        month = self._playbook.measurement.window_of(now)
        async with snapshot(self._database) as tx:
            playbook = _as_a_tier(await Agreements(tx, self._playbook).of(month))
            until = settled_until(now, playbook)
            # Nobody was promised anything before anybody called.
            heard = await ObjectiveStore(tx).heard_since()
            span = judged_span(month.span, min(heard.values(), default=until), until)
            works = await touching(tx, month.span)
            evidence, days = await self._evidence(tx, span, as_of(works, until, span), playbook)
            stated = _stated(month, evidence, playbook, now)
            items, factors = slos(stated, playbook), alarming(self._playbook, month.since)
            items = list(await burning(tx, stated, items, playbook, factors, tenant=None))
        return assembled(stated, items, days, works, playbook)

    async def _evidence(
        self, tx: Tx, span: Span, works: Sequence[Maintenance], playbook: Playbook
    ) -> tuple[Evidence, Sequence[tuple[Span, Window]]]:
        found = await ObjectiveStore(tx).evidence(
            span,
            terms_of(_ALL, playbook),
            tenant=None,
            works=works,
            excluded=excluded_spans(works, playbook),
        )
        days = await self._days(tx, found, left_out(found.works, playbook))
        calls = tuple(one for _, window in days for one in window.calls)
        return Evidence(span, found.minutes, found.watches, calls, tuple(works)), days

    async def _days(
        self, tx: Tx, found: Evidence, excluded: Spans
    ) -> Sequence[tuple[Span, Window]]:
        """Return the days of a span; those that are over from what was kept of them."""
        midnight = max(found.span.since, found.span.until.replace(hour=0, minute=0))
        closed, key = Span(found.span.since, midnight), (found.span.since, midnight, found.works)
        kept = self._closed
        if kept is None or kept[0] != key or time.monotonic() - kept[1] > CLOSED_DAYS_S:
            days = await read_days(tx, closed, found.watches, excluded, tenant=None)
            self._closed = kept = (key, time.monotonic(), days)
        today = Span(midnight, max(midnight, found.span.until))
        return [*kept[2], *await read_days(tx, today, found.watches, excluded, tenant=None)]


def _stated(month: Month, evidence: Evidence, playbook: Playbook, now: datetime) -> Statement:
    subject = Subject(_ALL, "All customers together", str(month), month.span)
    tenure = Tenure(_ALL, evidence.span, ((evidence.span, None),))
    return state(subject, [(tenure, evidence)], [], playbook, now)


def _as_a_tier(playbook: Playbook) -> Playbook:
    """Return the playbook with what everybody is promised as its only tier, judged by minutes."""
    some = next(iter(playbook.tiers.values()))
    tier = structs.replace(
        some,
        title="by what is promised of the platform",
        uptime=playbook.kpis.platform.uptime,
        method=Method.PERIOD,
        credits=None,
    )
    return structs.replace(playbook, tiers={_ALL: tier})
