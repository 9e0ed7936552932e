"""Incidents in PostgreSQL: one row each as it stands, and every act that made it so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.evidence import Entry
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.incidents.history import act_of, is_of_incident
from ai_agent_mesh.operations.incidents.model import Act, Incident
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx

_INSERT = """INSERT INTO incident (id, version, changed_at, title, severity, services, stage,
  began_at, opened_at, opened_by, alert, resolved_at, cause)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""
_SAVE = """UPDATE incident SET version = $2, changed_at = $3, title = $4, severity = $5,
  services = $6, stage = $7, began_at = $8, resolved_at = $9, cause = $10 WHERE id = $1"""
_ADD = """INSERT INTO incident_act (incident, ordinal, verb, at, by, entry, said)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
_FIND = "SELECT * FROM incident WHERE id = $1"
_PAGE = """SELECT * FROM incident
WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"""
_SINCE = """SELECT * FROM incident
WHERE resolved_at IS NULL OR resolved_at >= $1 ORDER BY began_at DESC, id DESC"""
# Alerts stand on objectives, and those on incidents; so their capability cannot be asked from here.
_ALERTED = "SELECT EXISTS (SELECT FROM alert WHERE id = $1)"
_HISTORY = "SELECT * FROM incident_act WHERE incident = $1 ORDER BY ordinal"
# The acts of whatever may touch a span: of what was changed since the moment nobody knows yet how
# it stood then.
_TOUCHING = """SELECT a.* FROM incident_act a JOIN incident i ON i.id = a.incident
WHERE a.at < $3 AND (i.changed_at >= $3
  OR (i.began_at < $2 AND (i.resolved_at IS NULL OR i.resolved_at > $1)))
ORDER BY a.incident, a.ordinal"""
_RECORDED = """SELECT bytes FROM ledger_entry
WHERE tenant_id = 'platform' AND kind = 'act' ORDER BY at, id COLLATE "C"
"""

Row = Any  # an asyncpg record: its columns are those of the query


class IncidentStore:
    """The tables. Any tenant's transaction reads them, one of `platform` adds to them."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def add(self, act: Act) -> None:
        """Keep an act; the incident follows in the same transaction."""
        await self._tx.execute(
            _ADD, act.incident, act.ordinal, act.verb.value, act.at, act.by, act.entry,
            msgspec.json.encode(act.said).decode(),
        )  # fmt: skip

    async def insert(self, one: Incident) -> None:
        """Keep a new incident."""
        await self._tx.execute(
            _INSERT, one.id, one.version, one.changed_at, one.title, one.severity.value,
            list(one.services), one.stage.value, one.began_at, one.opened_at, one.opened_by,
            one.alert, one.resolved_at, one.cause,
        )  # fmt: skip

    async def save(self, one: Incident) -> None:
        """Keep an incident as changed."""
        await self._tx.execute(
            _SAVE, one.id, one.version, one.changed_at, one.title, one.severity.value,
            list(one.services), one.stage.value, one.began_at, one.resolved_at, one.cause,
        )  # fmt: skip

    async def find(self, incident_id: str, *, for_update: bool = False) -> Incident | None:
        """Return one by its id; `for_update` keeps others from changing it meanwhile."""
        if "\0" in incident_id:
            return None  # PostgreSQL has no such text
        row = await self._tx.fetchrow(_FIND + " FOR UPDATE" * for_update, incident_id)
        return None if row is None else _incident(row)

    async def alerted(self, alert_id: str) -> bool:
        """Tell whether there is an alert of this id."""
        return "\0" not in alert_id and bool(await self._tx.fetchval(_ALERTED, alert_id))

    async def history(self, incident_id: str) -> list[Act]:
        """Return an incident's acts, the first one first."""
        return list(map(_act, await self._tx.fetch(_HISTORY, incident_id)))

    async def page(self, page: Page) -> list[Incident]:
        """Return incidents, the newest opened first, with one more when the list goes on."""
        return list(map(_incident, await self._tx.fetch(_PAGE, page.after, page.limit + 1)))

    async def since(self, moment: datetime) -> list[Incident]:
        """Return what is open or was resolved since a moment, the newest first."""
        return list(map(_incident, await self._tx.fetch(_SINCE, moment)))


async def touching(tx: Tx, span: Span, moment: datetime) -> Sequence[Act]:
    """Return the acts before a moment about incidents that may touch a span, in their order.

    `tx` is of the operations role.
    """
    return list(map(_act, await tx.fetch(_TOUCHING, span.since, span.until, moment)))


async def recorded(tx: Tx) -> Sequence[Act]:
    """Return every act about incidents from the ledger's own bytes. `tx` as for `touching`.

    Raises:
        EntryUnreadable: bytes are not an entry, or it lacks something.
    """
    found = (Entry.decode(row["bytes"]) for row in await tx.fetch(_RECORDED))
    return [act_of(entry) for entry in found if is_of_incident(entry)]


def _incident(row: Row) -> Incident:
    return msgspec.convert(dict(row), Incident)


def _act(row: Row) -> Act:
    return msgspec.convert({**row, "said": msgspec.json.decode(row["said"])}, Act)
