"""Corrects calls: finds the call, and keeps the correction together with its ledger entry."""

import asyncpg

from ai_agent_mesh.evidence.amendment import Amendment
from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Conflict, Denied, NotFound
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.amendments.model import AmendmentDraft, AmendmentView
from ai_agent_mesh.operations.amendments.store import AmendmentStore, Found
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Tx
from ai_agent_mesh.product.identity import PLATFORM_TENANT, scoped
from ai_agent_mesh.product.ledger import Inbox, governing
from ai_agent_mesh.sla import Fault


class PlatformAlone(Denied):
    """Only operators of the platform correct calls."""


class CallMissing(NotFound):
    """There is no numbered call {entry} in the ledger."""


class AlreadySo(Conflict):
    """The fault of {entry} is {fault} already."""


class PastCorrection(Conflict):
    """{entry} is of {month}, which is corrected no more."""


class CorrectedMeanwhile(Conflict):
    """{entry} was corrected by somebody else at the same time; look at it again."""


class Amendments:
    """Corrections of any tenant's calls, made inside whatever transaction is given."""

    def __init__(self, operations: Database, playbook: Playbook, clock: Clock) -> None:
        self._operations = operations
        self._playbook = playbook
        self._clock = clock

    async def amend(self, tx: Tx, draft: AmendmentDraft, by: str) -> AmendmentView:
        """Correct whose fault a call was; its figures follow once the correction is numbered.

        `tx` is of the tenant `platform`; the row and the entry are of the call's tenant.

        Raises:
            PlatformAlone, CallMissing, AlreadySo, PastCorrection, CorrectedMeanwhile
            AgreementUnreadable: this version cannot read what judges the call's month.
        """
        if tx.tenant_id != PLATFORM_TENANT:
            raise PlatformAlone
        async with self._operations.transaction() as reading:
            found = await AmendmentStore(reading).call(draft.entry)
            if found is None:
                raise CallMissing(entry=draft.entry)
            month = Month.of(found.entry.at)
            agreed = await Agreements(reading, self._playbook).of(month)
            judged_by = await governing(reading, month) or agreed.digest
        if self._clock.now() >= month.until + agreed.measurement.corrected_within:
            raise PastCorrection(entry=found.entry.id, month=str(month))
        async with scoped(tx, found.entry.tenant) as own:
            try:
                return await self._keep(own, found, draft, by, judged_by)
            except asyncpg.UniqueViolationError as error:
                raise CorrectedMeanwhile(entry=draft.entry) from error

    async def _keep(
        self, tx: Tx, found: Found, draft: AmendmentDraft, by: str, judged_by: str
    ) -> AmendmentView:
        store, call = AmendmentStore(tx), found.entry
        was, ordinal = await store.last(found.digest) or (call.fault, -1)
        if was is draft.fault:
            raise AlreadySo(entry=call.id, fault=was.value)
        one = _amendment(found, was, draft, judged_by)
        made = one.recorded(new_id("ent"), self._clock.now(), by, self._playbook.digest)
        await store.insert(one, made, ordinal + 1)
        await Inbox.insert(tx, made)
        return AmendmentView(
            id=made.id, tenant=one.tenant, entry=one.entry, at=one.at, was=one.was,
            fault=one.fault, reason=one.reason, amended_at=made.at, amended_by=by,
        )  # fmt: skip


def _amendment(found: Found, was: Fault, draft: AmendmentDraft, judged_by: str) -> Amendment:
    call = found.entry
    assert call.service is not None  # noqa: S101 - a call names both
    assert call.category is not None  # noqa: S101
    return Amendment(
        entry=call.id,
        digest=found.digest,
        tenant=call.tenant,
        at=call.at,
        service=call.service,
        category=call.category,
        latency_us=call.latency_us,
        judged_by=judged_by,
        was=was,
        fault=draft.fault,
        reason=draft.reason,
    )
