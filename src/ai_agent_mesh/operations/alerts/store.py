"""What alerts read across tenants, and the alerts themselves, which are the platform's."""

from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.alerts.model import Alert
from ai_agent_mesh.playbook import Signal
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx

Row = Any  # an asyncpg record: its columns are those of the query

# Every session counts against the limit, whoever's it is; what is kept for superusers is not ours.
_CONNECTIONS = """
SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int AS used,
       current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int AS limit
"""

_LATENCIES = """
SELECT bucket, sum(count)::bigint AS calls FROM ledger_sketch
WHERE minute >= $1 AND minute < $2 GROUP BY bucket
"""

_EVENTS = "SELECT signal, max(at) AS at FROM alert_event GROUP BY signal"

_STANDING = "SELECT * FROM alert WHERE resolved_at IS NULL ORDER BY id"
_OPEN = f"{_STANDING} FOR UPDATE"
_PAGE = """
SELECT * FROM alert WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2
"""
_INSERT = """
INSERT INTO alert (id, rule, name, urgency, tells, objective, summary, since, fired_at, resolved_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def connections(tx: Tx) -> tuple[int, int]:
    """Return how many connections the database serves, and how many it lets us have."""
    row = await tx.fetchrow(_CONNECTIONS)
    return (0, 1) if row is None else (row["used"], row["limit"])


async def last_events(tx: Tx) -> dict[Signal, datetime]:
    """Return when each kind of event happened last."""
    return {Signal(row["signal"]): row["at"] for row in await tx.fetch(_EVENTS)}


async def latencies(tx: Tx, span: Span) -> dict[int, int]:
    """Return the latencies of all tenants' timed calls in a span as one sketch."""
    rows = await tx.fetch(_LATENCIES, span.since, span.until)
    return {row["bucket"]: row["calls"] for row in rows}


class AlertStore:
    """The alerts. The transaction is of the tenant `platform`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def open(self) -> dict[str, Alert]:
        """Return the alerts that are not over, by rule, and keep others from changing them."""
        # Whoever evaluates comes after whoever is at it: two must not raise the same alert.
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtext('alerts'))")
        return {row["rule"]: _alert(row) for row in await self._tx.fetch(_OPEN)}

    async def standing(self) -> list[Alert]:
        """Return the alerts that are not over, oldest first, for whoever only looks."""
        return [_alert(row) for row in await self._tx.fetch(_STANDING)]

    async def page(self, page: Page) -> list[Alert]:
        """Return alerts, the newest first, with one more when the list goes on."""
        rows = await self._tx.fetch(_PAGE, page.after, page.limit + 1)
        return [_alert(row) for row in rows]

    async def insert(self, alert: Alert) -> None:
        """Keep a new alert."""
        await self._tx.execute(
            _INSERT, alert.id, alert.rule, alert.name, alert.urgency, alert.tells, alert.objective,
            alert.summary, alert.since, alert.fired_at, alert.resolved_at,
        )  # fmt: skip

    async def update(self, alert: Alert) -> None:
        """Keep when it fired and when it was over."""
        await self._tx.execute(
            "UPDATE alert SET fired_at = $2, resolved_at = $3 WHERE id = $1",
            alert.id, alert.fired_at, alert.resolved_at,
        )  # fmt: skip

    async def forget(self, alert: Alert) -> None:
        """Drop one that ended before it fired."""
        await self._tx.execute("DELETE FROM alert WHERE id = $1", alert.id)

    async def event(self, signal: Signal, subject: str, at: datetime) -> bool:
        """Note that something happened to a subject; False when that is known already."""
        return bool(
            await self._tx.execute(
                "INSERT INTO alert_event (signal, subject, at) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING",
                signal.value, subject, at,
            )
        )  # fmt: skip


def _alert(row: Row) -> Alert:
    fields = {name: row[name] for name in Alert.__struct_fields__}
    return msgspec.convert(fields, Alert)
