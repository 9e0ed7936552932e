"""Subscriptions, notices and deliveries in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ai_agent_mesh.operations.notices.model import (
    Due,
    Notice,
    Outcome,
    Subscription,
    Topic,
    Try,
)
from ai_agent_mesh.operations.notices.ports import Vault
from ai_agent_mesh.operations.notices.rules import due_after
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx

Row = Any  # an asyncpg record: its columns are those of the query

_COLUMNS = "id, url, topics, created_at, created_by"
_INSERT = """INSERT INTO subscription (id, url, topics, secret, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6)"""
_LIST = f"""SELECT {_COLUMNS} FROM subscription
WHERE tenant_id = (SELECT mesh_tenant()) AND ($1::text IS NULL OR id > $1)
ORDER BY id LIMIT $2"""  # noqa: S608 - our own columns
_PUBLISH = "INSERT INTO notice (id, topic, type, at, object, data) VALUES ($1, $2, $3, $4, $5, $6)"

# A subscription hears of what came after it. The delivery's row is born with the first try.
_HEARS = "n.topic = ANY(s.topics) AND s.created_at <= n.at"
_ITS = "d.tenant_id = s.tenant_id AND d.notice_id = n.id AND d.subscription_id = s.id"
_DUE = f"""SELECT s.tenant_id, s.id AS subscription_id, n.id, n.topic, n.type, n.at, n.object,
  n.data
FROM notice n JOIN subscription s ON {_HEARS} LEFT JOIN notice_delivery d ON {_ITS}
WHERE n.open AND (d.notice_id IS NULL OR d.state = 'pending' AND d.due_at <= $1)
ORDER BY coalesce(d.due_at, n.at), s.id LIMIT $2"""  # noqa: S608 - our own words
_UNDELIVERED = f"""SELECT count(*), min(n.at) AS oldest
FROM notice n JOIN subscription s ON {_HEARS} LEFT JOIN notice_delivery d ON {_ITS}
WHERE n.open AND (d.notice_id IS NULL OR d.state = 'pending')"""  # noqa: S608 - our own words
_TOLD = f"""SELECT id FROM notice n WHERE open AND at < $1 AND NOT EXISTS (
  SELECT FROM subscription s LEFT JOIN notice_delivery d ON {_ITS}
  WHERE {_HEARS} AND (d.notice_id IS NULL OR d.state = 'pending'))"""  # noqa: S608
# A second claim before the first one's next turn finds nothing to update.
_CLAIM = """INSERT INTO notice_delivery AS d (notice_id, subscription_id, due_at)
VALUES ($1, $2, $3::timestamptz + $4)
ON CONFLICT (tenant_id, notice_id, subscription_id) DO UPDATE
SET attempts = d.attempts + 1, doubtful = true, repeats = d.repeats + d.doubtful::int
WHERE d.state = 'pending' AND d.due_at <= $3
RETURNING attempts, repeats"""
_POSTPONE = """UPDATE notice_delivery SET due_at = $3
WHERE notice_id = $1 AND subscription_id = $2"""
_KEEP = """UPDATE notice_delivery SET doubtful = $4, reason = $5,
  state = $6, settled_at = $7
WHERE notice_id = $1 AND subscription_id = $2 AND attempts = $3 AND state = 'pending'"""


class SubscriptionStore:
    """One tenant's subscriptions and their deliveries."""

    def __init__(self, tx: Tx, vault: Vault) -> None:
        self._tx = tx
        self._vault = vault

    async def insert(self, one: Subscription, secret: str) -> None:
        """Keep a subscription with its secret."""
        sealed = await self._vault.seal(self._tx, "subscription", "secret", one.id, secret.encode())
        topics = [topic.value for topic in one.topics]
        await self._tx.execute(
            _INSERT, one.id, one.url, topics, sealed, one.created_at, one.created_by
        )

    async def count(self) -> int:
        """Return how many there are."""
        return int(await self._tx.fetchval("SELECT count(*) FROM subscription"))

    async def find(self, subscription_id: str) -> Subscription | None:
        """Return one by its id."""
        if "\0" in subscription_id:
            return None  # PostgreSQL has no such text
        row = await self._tx.fetchrow(
            f"SELECT {_COLUMNS} FROM subscription WHERE id = $1",  # noqa: S608 - our own columns
            subscription_id,
        )
        return None if row is None else _subscription(row)

    async def list(self, page: Page) -> Sequence[Subscription]:
        """Return the page's, oldest first, and one more if there is one."""
        rows = await self._tx.fetch(_LIST, page.after, page.limit + 1)
        return [_subscription(row) for row in rows]

    async def delete(self, subscription_id: str) -> None:
        """Forget one, and what it was still to be told."""
        await self._tx.execute("DELETE FROM subscription WHERE id = $1", subscription_id)
        await self._tx.execute(
            "DELETE FROM notice_delivery WHERE subscription_id = $1 AND state = 'pending'",
            subscription_id,
        )

    async def claim(self, due: Due, now: datetime) -> Try | None:
        """Take the next try, before anything is sent; None when it is not due or not wanted."""
        row = await self._tx.fetchrow(
            "SELECT url, secret FROM subscription WHERE id = $1", due.subscription_id
        )
        key = (due.notice.id, due.subscription_id)
        first = due_after(1, now) - now
        taken = await self._tx.fetchrow(_CLAIM, *key, now, first) if row else None
        if row is None or taken is None:
            return None
        number, repeats = taken
        if number > 1:
            await self._tx.execute(_POSTPONE, *key, due_after(number, now))
        sealed = row["secret"]
        secret = await self._vault.open(
            self._tx, "subscription", "secret", due.subscription_id, sealed
        )
        return Try(number, repeats, row["url"], secret.decode())

    async def keep(self, due: Due, tried: Try, outcome: Outcome, settled: datetime | None) -> bool:
        """Keep how a try ended; false when the delivery went on without it."""
        state = "pending"
        if settled:
            state = "failed" if outcome.reason else "delivered"
        return bool(
            await self._tx.execute(
                _KEEP, due.notice.id, due.subscription_id, tried.number, outcome.doubtful,
                outcome.reason, state, settled,
            )
        )  # fmt: skip


async def publish(tx: Tx, notice: Notice) -> None:
    """Put a notice up for delivery, in a transaction of the tenant `platform`."""
    await tx.execute(
        _PUBLISH, notice.id, notice.topic.value, notice.type, notice.at, notice.object,
        dict(notice.data),
    )  # fmt: skip


async def due(tx: Tx, now: datetime, limit: int) -> list[Due]:
    """Return the longest due. `tx` is of the operations role."""
    return [
        Due(
            row["tenant_id"],
            row["subscription_id"],
            Notice(
                row["id"], Topic(row["topic"]), row["type"], row["at"], row["object"], row["data"]
            ),
        )
        for row in await tx.fetch(_DUE, now, limit)
    ]


async def undelivered(tx: Tx) -> tuple[int, datetime | None]:
    """Return how many deliveries wait, of all tenants, and when the oldest notice among them was
    published; `tx` is of the operations role."""
    row = await tx.fetchrow(_UNDELIVERED)
    return (0, None) if row is None else (row["count"], row["oldest"])


async def told(tx: Tx, before: datetime) -> list[str]:
    """Return the open notices from before a moment that every subscriber was told of."""
    return [row["id"] for row in await tx.fetch(_TOLD, before)]


async def close(tx: Tx, notices: Sequence[str]) -> None:
    """Let notices be looked at no more. `tx` is of the tenant `platform`."""
    await tx.execute("UPDATE notice SET open = false WHERE id = ANY($1)", list(notices))


def _subscription(row: Row) -> Subscription:
    return Subscription(
        id=row["id"],
        url=row["url"],
        topics=tuple(map(Topic, row["topics"])),
        created_at=row["created_at"],
        created_by=row["created_by"],
    )
