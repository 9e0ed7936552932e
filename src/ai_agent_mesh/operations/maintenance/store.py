"""Maintenance in PostgreSQL: one table for everybody, and the entries that prove it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import (
    Link,
    Maintenance,
    Proof,
    Told,
    is_telling,
    telling,
)
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger import Entry
from ai_agent_mesh.sla import Service

_FACTS = """m.id, m.title, m.description, m.since, m.until, m.services, m.announced_at, m.entry,
m.cancelled_at, m.cancel_entry"""

_INSERT = """INSERT INTO maintenance (id, title, description, since, until, services,
  announced_at, entry, announced_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"""
_CANCEL = """UPDATE maintenance SET cancelled_at = $2, cancel_entry = $3, cancelled_by = $4
WHERE id = $1 AND cancelled_at IS NULL"""
_LIST = f"""SELECT {_FACTS} FROM maintenance m
WHERE ($1::text IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"""  # noqa: S608 - our own columns
# With the numbers of its entries, which the operations role alone may look up.
_TOUCHING = f"""SELECT {_FACTS}, a.number AS number, c.number AS cancel_number
FROM maintenance m
LEFT JOIN ledger_entry a ON a.id = m.entry AND a.tenant_id = 'platform'
LEFT JOIN ledger_entry c ON c.id = m.cancel_entry AND c.tenant_id = 'platform'
WHERE m.until > $1 AND m.since < $2 ORDER BY m.since, m.id"""  # noqa: S608
_LAST = "SELECT ordinal, hash, at FROM maintenance_act ORDER BY ordinal DESC LIMIT 1"
_FOLLOW = "INSERT INTO maintenance_act (ordinal, entry, at, hash) VALUES ($1, $2, $3, $4)"
_REACHED = """SELECT ordinal, hash FROM maintenance_act WHERE at < $1
ORDER BY ordinal DESC LIMIT 1"""
_NUMBERS = """SELECT e.number FROM maintenance_act a
JOIN ledger_entry e ON e.id = a.entry AND e.tenant_id = 'platform'
WHERE a.ordinal <= $1 ORDER BY a.ordinal"""
_TOLD = """SELECT number, bytes FROM ledger_entry
WHERE tenant_id = $1 AND kind = 'notice' AND at >= $2 AND at < $3 ORDER BY number"""

Row = Any  # an asyncpg record: its columns are those of the query


class MaintenanceStore:
    """The table. Any tenant's transaction reads it, one of `platform` adds to it."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, work: Maintenance, by: str) -> None:
        """Keep what was announced."""
        services = None if work.services is None else list(work.named)
        await self._tx.execute(
            _INSERT, work.id, work.title, work.description, work.span.since, work.span.until,
            services, work.announced.at, work.announced.entry, by,
        )  # fmt: skip

    async def cancel(self, work_id: str, proof: Proof, by: str) -> bool:
        """Keep that it was called off; false when that was done already."""
        return bool(await self._tx.execute(_CANCEL, work_id, proof.at, proof.entry, by))

    async def last(self) -> tuple[Link, datetime | None]:
        """Return where the stream of acts stands and its last moment; others wait meanwhile."""
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtext('maintenance_act'))")
        row = await self._tx.fetchrow(_LAST)
        return (Link(), None) if row is None else (Link(row["ordinal"], row["hash"]), row["at"])

    async def follow(self, link: Link, proof: Proof) -> None:
        """Keep where the stream stands after an act."""
        await self._tx.execute(_FOLLOW, link.acts, proof.entry, proof.at, link.hash)

    async def find(self, work_id: str) -> Maintenance | None:
        """Return one by its id."""
        if "\0" in work_id:
            return None  # PostgreSQL has no such text
        row = await self._tx.fetchrow(
            f"SELECT {_FACTS} FROM maintenance m WHERE id = $1",  # noqa: S608 - our own columns
            work_id,
        )
        return None if row is None else _maintenance(row)

    async def list(self, page: Page) -> list[Maintenance]:
        """Return the page's, newest announced first, and one more if there is one."""
        return list(map(_maintenance, await self._tx.fetch(_LIST, page.after, page.limit + 1)))


async def touching(tx: Tx, span: Span) -> Sequence[Maintenance]:
    """Return all that touches a span, with its proofs. `tx` is of the operations role."""
    rows = await tx.fetch(_TOUCHING, span.since, span.until)
    return [_maintenance(row, row["number"], row["cancel_number"]) for row in rows]


async def reached(tx: Tx, moment: datetime) -> Link:
    """Return where the stream of acts stood at a moment. `tx` is of the operations role."""
    row = await tx.fetchrow(_REACHED, moment)
    return Link() if row is None else Link(row["ordinal"], row["hash"])


async def numbers(tx: Tx, link: Link) -> list[int]:
    """Return the ledger's numbers of all acts up to a link, in their order."""
    return [row["number"] for row in await tx.fetch(_NUMBERS, link.acts)]


async def told(tx: Tx, tenant: str, works: Collection[Maintenance], before: datetime) -> list[Told]:
    """Return how a tenant's subscribers were told of works before a moment, from the ledger.

    `tx` is of the operations role.

    Raises:
        EntryUnreadable: bytes are not an entry, or tell of no delivery.
    """
    if not works:
        return []
    about = {work.id for work in works}
    since = min(work.announced.at for work in works)
    rows = await tx.fetch(_TOLD, tenant, since, before)
    read = ((row["number"], Entry.decode(row["bytes"])) for row in rows)
    found = [telling(number, entry) for number, entry in read if is_telling(entry)]
    return [one for one in found if one.work in about]


def _maintenance(
    row: Row, number: int | None = None, cancel_number: int | None = None
) -> Maintenance:
    at: datetime | None = row["cancelled_at"]
    return Maintenance(
        id=row["id"],
        title=row["title"],
        description=row["description"],
        span=Span(row["since"], row["until"]),
        services=None if row["services"] is None else frozenset(map(Service, row["services"])),
        announced=Proof(row["announced_at"], row["entry"], number),
        cancelled=Proof(at, row["cancel_entry"], cancel_number) if at else None,
    )
