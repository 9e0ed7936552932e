"""Finds the playbook that judges a month: its digest in the batches, its text in the ledger."""

from collections.abc import Iterable, Mapping, Sequence

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements.facts import (
    AgreementUnreadable,
    SeveralAgreements,
)
from ai_agent_mesh.playbook import Difference, Playbook, PlaybookInvalid, differences, recalled
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger import governing, playbook_text


def waits(changes: Sequence[Difference], month: Month) -> str:
    """Say in one sentence which changes of the promise do not count before a month is over."""
    keys = ", ".join(f"{one.key} ({one.before} -> {one.after})" for one in changes)
    return f"Changes of what is promised count from {month.until:%Y-%m-%d} on: {keys}."


class Agreements:
    """Playbooks by the month that each judges, as one transaction of any role sees the ledger.

    `today` is the playbook that this process runs under. It judges while the ledger is empty, and
    in place of one that the ledger names from before it kept their texts.
    """

    def __init__(self, tx: Tx, today: Playbook) -> None:
        self._tx = tx
        self._today = today
        self._known: dict[Month, Playbook] = {}

    async def of(self, month: Month) -> Playbook:
        """Return the playbook that judges a month; of one to come, as things stand.

        Raises:
            AgreementUnreadable: this version cannot read its text.
        """
        if month not in self._known:
            self._known[month] = await self._read(month)
        return self._known[month]

    async def over(self, span: Span) -> Playbook:
        """Return the one playbook that judges every month of a span.

        Raises:
            AgreementUnreadable
            SeveralAgreements: its months are judged by different ones.
        """
        first, *others = span.months
        found = await self.of(first)
        for month in others:
            if (await self.of(month)).digest != found.digest:
                reason = f"must not reach from {first} into {month}"
                raise SeveralAgreements(first=first, other=month, faults=[Fault("until", reason)])
        return found

    async def by_month(self, months: Iterable[Month]) -> Mapping[Month, Playbook]:
        """Return the playbook of each of some months; raises as `of`."""
        return {month: await self.of(month) for month in months}

    async def waiting(self, month: Month) -> Sequence[Difference]:
        """Return what of today's promises does not count in a month that another playbook judges.

        Raises:
            AgreementUnreadable: this version cannot read its text.
        """
        found = await self.of(month)
        return [one for one in differences(found, self._today) if one.waits]

    async def _read(self, month: Month) -> Playbook:
        digest = await governing(self._tx, month)
        if digest in (None, self._today.digest):
            return self._today
        text = await playbook_text(self._tx, str(digest))
        if text is None:
            return self._today
        try:
            return recalled(text)
        except PlaybookInvalid as error:
            reason = "; ".join(f"{fault.place} {fault.reason}" for fault in error.faults[:3])
            raise AgreementUnreadable(month=month, digest=digest, reason=reason) from error
