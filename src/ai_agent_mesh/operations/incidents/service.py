"""Opens, changes and resolves incidents: the incident, the act and its ledger entry go together."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.incidents.facts import (
    IncidentInvalid,
    IncidentMissing,
    PlatformAlone,
)
from ai_agent_mesh.operations.incidents.history import applied, entry_of, in_text
from ai_agent_mesh.operations.incidents.model import (
    Act,
    Change,
    Draft,
    Incident,
    Resolution,
    Verb,
)
from ai_agent_mesh.operations.incidents.rules import Words, changing, opening, resolving
from ai_agent_mesh.operations.incidents.store import IncidentStore
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.http import Page, require
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Inbox


class Incidents:
    """Incidents, within a transaction: any tenant's to read, the platform's to act upon."""

    def __init__(self, tx: Tx, playbook: Playbook, clock: Clock, by: str = "") -> None:
        self._tx = tx
        self._store = IncidentStore(tx)
        self._playbook = playbook
        self._clock = clock
        self._by = by

    async def open(self, draft: Draft) -> Incident:
        """Open an incident as of now.

        Raises:
            PlatformAlone, IncidentInvalid
        """
        self._check_author()
        now = self._clock.now()
        words = opening(draft, self._playbook, now)
        alert = words.get("alert")
        if isinstance(alert, str) and not await self._store.alerted(alert):
            raise IncidentInvalid(faults=[Fault("/alert", "there is no such alert")])
        act = self._act(new_id("inc"), 1, Verb.OPEN, now, words)
        opened = applied(None, act)
        await self._keep(act)
        await self._store.insert(opened)
        return opened

    async def update(self, incident_id: str, change: Change, if_match: str | None) -> Incident:
        """Say something otherwise; an act that would say nothing anew is none.

        Raises:
            PlatformAlone, IncidentMissing, IncidentInvalid, AlreadyResolved, NotResolved
            PreconditionRequired, PreconditionFailed: see `plumbing.http.etags`.
        """

        def says(before: Incident, now: datetime) -> Words:
            require(if_match, before.version)
            return changing(before, change, self._playbook, now)

        return await self._follow(incident_id, Verb.UPDATE, says)

    async def resolve(
        self, incident_id: str, end: Resolution, if_match: str | None = None
    ) -> Incident:
        """Say that it is over and why it was; If-Match is honoured when it is sent.

        Raises:
            PlatformAlone, IncidentMissing, IncidentInvalid, AlreadyResolved
            PreconditionFailed: see `plumbing.http.etags`.
        """

        def says(before: Incident, now: datetime) -> Words:
            if if_match is not None:
                require(if_match, before.version)
            return resolving(before, end, now)

        return await self._follow(incident_id, Verb.RESOLVE, says)

    async def get(self, incident_id: str) -> Incident:
        """Return one; IncidentMissing when there is none of this id."""
        return _present(await self._store.find(incident_id), incident_id)

    async def history(self, incident_id: str) -> Sequence[Act]:
        """Return all that was said of one, the first act first."""
        return await self._store.history(incident_id)

    async def list(self, page: Page) -> Sequence[Incident]:
        """Return a page, the newest opened first, with one more when the list goes on."""
        return await self._store.page(page)

    async def _follow(
        self, incident_id: str, verb: Verb, says: Callable[[Incident, datetime], Words]
    ) -> Incident:
        self._check_author()
        found = await self._store.find(incident_id, for_update=True)
        before = _present(found, incident_id)
        # Acts of one incident are read in the order of their moments, so no two share one.
        now = max(self._clock.now(), before.changed_at + timedelta.resolution)
        words = says(before, now)
        if not words:
            return before
        act = self._act(before.id, before.version + 1, verb, now, words)
        after = applied(before, act)
        await self._keep(act)
        await self._store.save(after)
        return after

    def _act(self, incident: str, ordinal: int, verb: Verb, now: datetime, words: Words) -> Act:
        return Act(
            incident=incident,
            ordinal=ordinal,
            verb=verb,
            at=now,
            by=self._by,
            entry=new_id("ent"),
            said=in_text(words),
        )

    async def _keep(self, act: Act) -> None:
        await self._store.add(act)
        await Inbox.insert(self._tx, entry_of(act, self._playbook.digest))

    def _check_author(self) -> None:
        if self._tx.tenant_id != PLATFORM_TENANT:
            raise PlatformAlone


def _present(found: Incident | None, asked: str) -> Incident:
    if found is None:
        raise IncidentMissing(incident=asked[:100])
    return found
