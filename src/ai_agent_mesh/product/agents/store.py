"""Agents in PostgreSQL: one row each, the credential sealed, the health beside it."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents.facts import AgentNameTaken
from ai_agent_mesh.product.agents.model import (
    Agent,
    Card,
    Credential,
    Draft,
    Filters,
    Health,
    HealthState,
    Kind,
    Price,
)
from ai_agent_mesh.product.agents.ports import Vault

_COLUMNS = """id, name, kind, url, description, labels, model, system_prompt, idempotent,
timeout_us, input_price, output_price, currency, card, card_read_at,
credential IS NOT NULL AS credential_set, health, failures, health_error, checked_at,
version, created_at, updated_at"""

_INSERT = f"""INSERT INTO agent (id, name, kind, url, description, labels, model, system_prompt,
  idempotent, timeout_us, input_price, output_price, currency, card, card_read_at, credential)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
  CASE WHEN $14::jsonb IS NULL THEN NULL ELSE now() END, $15)
RETURNING {_COLUMNS}"""  # noqa: S608 - our own list of columns

# A changed address is another agent as far as its health is known: it is checked anew at once.
_UPDATE = f"""UPDATE agent SET name = $2, kind = $3, url = $4, description = $5, labels = $6,
  model = $7, system_prompt = $8, idempotent = $9, timeout_us = $10, input_price = $11,
  output_price = $12, currency = $13,
  card = coalesce($14, card),
  card_read_at = CASE WHEN $14::jsonb IS NULL THEN card_read_at ELSE now() END,
  credential = CASE WHEN $16 THEN $15 ELSE credential END,
  health = CASE WHEN url = $4 THEN health ELSE 'unknown' END,
  failures = CASE WHEN url = $4 THEN failures ELSE 0 END,
  health_error = CASE WHEN url = $4 THEN health_error END,
  check_due_at = CASE WHEN url = $4 THEN check_due_at ELSE now() END,
  version = version + 1, updated_at = now()
WHERE id = $1 RETURNING {_COLUMNS}"""  # noqa: S608

_LIST = f"""SELECT {_COLUMNS} FROM agent
WHERE tenant_id = (SELECT mesh_tenant())
  AND ($1::text IS NULL OR id > $1)
  AND ($2::text IS NULL OR kind = $2)
  AND labels @> $3
  AND ($4::text IS NULL OR health = $4)
  AND ($5::text IS NULL OR starts_with(name, $5))
ORDER BY id LIMIT $6"""  # noqa: S608


class AgentStore:
    """One tenant's agents."""

    def __init__(self, tx: Tx, vault: Vault) -> None:
        self._tx = tx
        self._vault = vault

    async def insert(self, draft: Draft, card: Card | None) -> Agent:
        """Keep a checked draft; AgentNameTaken when the tenant has one of that name."""
        agent_id = new_id("agt")
        sealed = await self._seal(agent_id, draft.credential)
        return await self._write(draft, _INSERT, agent_id, *_values(draft), _content(card), sealed)

    async def update(
        self, agent_id: str, draft: Draft, card: Card | None, *, credential_too: bool
    ) -> Agent:
        """Replace what is kept; the card stays when there is no new one."""
        sealed = await self._seal(agent_id, draft.credential) if credential_too else None
        values = (agent_id, *_values(draft), _content(card), sealed, credential_too)
        return await self._write(draft, _UPDATE, *values)

    async def _write(self, draft: Draft, sql: str, *values: object) -> Agent:
        try:
            async with self._tx.savepoint():
                row = await self._tx.fetchrow(sql, *values)
        except asyncpg.UniqueViolationError as error:
            raise AgentNameTaken(name=draft.name) from error
        if row is None:
            raise LookupError("the agent's row left while it was locked")
        return _agent(row)

    async def find(self, agent: str, *, lock: bool = False) -> Agent | None:
        """Return an agent by id or by name; `lock` keeps others from changing it meanwhile."""
        if "\0" in agent:
            return None  # PostgreSQL has no such text
        column = "id" if agent.startswith("agt_") else "name"
        row = await self._tx.fetchrow(
            f"SELECT {_COLUMNS} FROM agent WHERE {column} = $1"  # noqa: S608
            f" AND tenant_id = (SELECT mesh_tenant()){' FOR UPDATE' if lock else ''}",
            agent,
        )
        return None if row is None else _agent(row)

    async def list(self, filters: Filters, page: Page) -> list[Agent]:
        """Return the page's agents in the order of their ids, and one more if there is one."""
        rows = await self._tx.fetch(
            _LIST,
            page.after,
            filters.kind,
            dict(filters.labels),
            filters.health,
            filters.name_prefix,
            page.limit + 1,
        )
        return [_agent(row) for row in rows]

    async def keep_card(self, agent_id: str, card: Card) -> None:
        """Replace the card; the version stays, because nothing that a person wrote changes."""
        sql = "UPDATE agent SET card = $2, card_read_at = now() WHERE id = $1"
        await self._tx.execute(sql, agent_id, card.content)

    async def delete(self, agent_id: str) -> None:
        """Forget it, its credential with it."""
        await self._tx.execute("DELETE FROM agent WHERE id = $1", agent_id)

    async def credential(self, agent_id: str) -> Credential | None:
        """Open the credential, or return None when there is none."""
        sealed = await self._tx.fetchval("SELECT credential FROM agent WHERE id = $1", agent_id)
        if sealed is None:
            return None
        opened = await self._vault.open(self._tx, "agent", "credential", agent_id, sealed)
        return msgspec.json.decode(opened, type=Credential)

    async def claim_check(self, agent_id: str, now: datetime, again: timedelta) -> bool:
        """Take the check that is due at `now`, and say whether it was still to be had."""
        sql = "UPDATE agent SET check_due_at = $3 WHERE id = $1 AND check_due_at <= $2"
        return await self._tx.execute(sql, agent_id, now, now + again) == 1

    async def keep_health(self, agent_id: str, health: Health) -> None:
        """Keep what a check found."""
        await self._tx.execute(
            "UPDATE agent SET health = $2, failures = $3, health_error = $4, checked_at = $5"
            " WHERE id = $1",
            agent_id,
            health.state,
            health.consecutive_failures,
            health.error,
            health.checked_at,
        )

    async def _seal(self, agent_id: str, credential: Credential | None) -> bytes | None:
        if credential is None:
            return None
        plain = msgspec.json.encode(credential)
        return await self._vault.seal(self._tx, "agent", "credential", agent_id, plain)


async def due_checks(operations: Tx, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Return tenant and id of the agents whose check is due: one of each tenant, then the next.

    Of a tenant the longest due comes first.
    """
    rows = await operations.fetch(
        "SELECT tenant_id, id FROM agent WHERE check_due_at <= $1 ORDER BY row_number()"
        " OVER (PARTITION BY tenant_id ORDER BY check_due_at), check_due_at LIMIT $2",
        now,
        limit,
    )
    return [(row["tenant_id"], row["id"]) for row in rows]


def _values(draft: Draft) -> tuple[object, ...]:
    price = draft.price
    return (
        draft.name,
        draft.kind,
        draft.url,
        draft.description or "",
        dict(draft.labels),
        draft.model,
        draft.system_prompt,
        draft.idempotent,
        None if draft.timeout_s is None else round(draft.timeout_s * 1_000_000),
        price and price.input_per_1k,
        price and price.output_per_1k,
        price and price.currency,
    )


def _content(card: Card | None) -> dict[str, Any] | None:  # a card is any JSON object
    return None if card is None else card.content


def _agent(row: asyncpg.Record) -> Agent:
    plain = ("id", "name", "url", "description", "labels", "model", "system_prompt", "idempotent")
    moments = ("card", "card_read_at", "credential_set", "version", "created_at", "updated_at")
    price = None
    if row["currency"] is not None:
        price = Price(
            input_per_1k=row["input_price"],
            output_per_1k=row["output_price"],
            currency=row["currency"],
        )
    return Agent(
        **{name: row[name] for name in (*plain, *moments)},
        kind=Kind(row["kind"]),
        timeout_s=None if row["timeout_us"] is None else row["timeout_us"] / 1_000_000,
        price=price,
        health=Health(
            state=HealthState(row["health"]),
            consecutive_failures=row["failures"],
            error=row["health_error"],
            checked_at=row["checked_at"],
        ),
    )


async def registered(tx: Tx) -> int:
    """Return how many agents of all tenants are registered."""
    count: int = await tx.fetchval("SELECT count(*) FROM agent")
    return count
