"""Delivers notices on a schedule: at least once, under one id, and each outcome into the ledger."""

import asyncio
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.operations.notices import store
from ai_agent_mesh.operations.notices.model import Due, Message, Outcome, Try
from ai_agent_mesh.operations.notices.ports import Sender, Vault
from ai_agent_mesh.operations.notices.rules import (
    REASON_CHARACTERS,
    TRIES,
    TRY_S,
    body_of,
    entry_of,
    settles,
)
from ai_agent_mesh.operations.notices.store import SubscriptionStore
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Inbox

#: All at once, so that receivers that hang hold up the schedule for one try's time at the most.
AT_ONCE = 50
#: A notice is closed a little late: its subscribers' transactions may have begun before it.
SETTLED = timedelta(minutes=1)

_log = get_logger("notices")


class Deliveries:
    """The scheduled deliveries to all subscriptions; safe to run from several workers."""

    def __init__(
        self,
        app: Database,
        operations: Database,
        vault: Vault,
        sender: Sender,
        clock: Clock,
        playbook: str,
        *,
        try_s: float = TRY_S,
    ) -> None:
        self._app = app
        self._operations = operations
        self._vault = vault
        self._sender = sender
        self._clock = clock
        self._playbook = playbook
        self._try_s = try_s

    async def run(self, now: datetime) -> int:
        """Try what is due at `now`, and return how many tries were made."""
        async with self._operations.transaction() as tx:
            found = await store.due(tx, now, AT_ONCE)
            told = await store.told(tx, now - SETTLED)
        if told:
            async with self._app.tenant(PLATFORM_TENANT) as tx:
                await store.close(tx, told)
        return sum(await asyncio.gather(*[self._one(due, now) for due in found]))

    async def _one(self, due: Due, now: datetime) -> bool:
        try:
            return await self.deliver(due, now)
        except Fact as fact:  # one tenant's broken seal must not stop the others' deliveries
            _log.warning("delivery failed", subscription=due.subscription_id, reason=fact.detail)
            return False

    async def deliver(self, due: Due, now: datetime) -> bool:
        """Try one delivery; false when another worker has it.

        The try is claimed first, in a transaction of its own, and no connection is held while the
        receiver is waited for. When this process dies meanwhile, the claim lapses and the next try
        goes out under the same id, marked as a doubtful repeat.
        """
        async with self._app.tenant(due.tenant_id) as tx:
            tried = await SubscriptionStore(tx, self._vault).claim(due, now)
        if tried is None:
            return False
        outcome = await self._try(due, tried)
        settled = self._clock.now() if settles(tried.number, outcome) else None
        async with self._app.tenant(due.tenant_id) as tx:
            kept = await SubscriptionStore(tx, self._vault).keep(due, tried, outcome, settled)
            if kept and settled:
                entry = entry_of(due, tried, outcome, settled, self._playbook)
                await Inbox.insert(tx, entry)
        return True

    async def _try(self, due: Due, tried: Try) -> Outcome:
        if tried.number > TRIES:
            return Outcome("the last try was not heard to its end", doubtful=True)
        message = Message(due.notice.id, body_of(due.notice), repeated=tried.repeats > 0)
        outcome = await self._sender.send(tried.url, tried.secret, message, deadline_s=self._try_s)
        if outcome.reason is None:
            return outcome
        reason = outcome.reason[:REASON_CHARACTERS].replace("\0", "")
        return Outcome(reason, outcome.doubtful, outcome.gone)
