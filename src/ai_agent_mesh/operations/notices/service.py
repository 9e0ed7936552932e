"""Keeps a tenant's subscriptions, and puts notices up for all who subscribed."""

import base64
import os
from collections.abc import Sequence

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.notices.facts import SubscriptionMissing, SubscriptionsFull
from ai_agent_mesh.operations.notices.model import Draft, Subscribed, Subscription
from ai_agent_mesh.operations.notices.ports import Vault
from ai_agent_mesh.operations.notices.rules import MOST, check_draft
from ai_agent_mesh.operations.notices.store import SubscriptionStore
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx

_SECRET_BYTES = 32


class Subscriptions:
    """One tenant's subscriptions, within a transaction."""

    def __init__(self, tx: Tx, vault: Vault, clock: Clock, by: str = "") -> None:
        self._store = SubscriptionStore(tx, vault)
        self._clock = clock
        self._by = by

    async def subscribe(self, draft: Draft) -> Subscribed:
        """Keep an address that is told from now on; the secret is shown this once.

        Raises:
            SubscriptionInvalid, SubscriptionsFull
        """
        check_draft(draft)
        if await self._store.count() >= MOST:
            raise SubscriptionsFull(most=MOST)
        subscription = Subscription(
            id=new_id("sub"),
            url=draft.url,
            topics=tuple(sorted(set(draft.topics))),
            created_at=self._clock.now(),
            created_by=self._by,
        )
        secret = f"whsec_{base64.b64encode(os.urandom(_SECRET_BYTES)).decode()}"
        await self._store.insert(subscription, secret)
        return Subscribed(subscription=subscription, secret=secret)

    async def get(self, subscription_id: str) -> Subscription:
        """Return one; SubscriptionMissing when the tenant has none of this id."""
        found = await self._store.find(subscription_id)
        if found is None:
            raise SubscriptionMissing(subscription=subscription_id[:100])
        return found

    async def list(self, page: Page) -> Sequence[Subscription]:
        """Return a page, oldest first, with one more when the list goes on."""
        return await self._store.list(page)

    async def delete(self, subscription_id: str) -> Subscription:
        """Forget one at once, and return what it was."""
        found = await self.get(subscription_id)
        await self._store.delete(found.id)
        return found
