"""Corrections in PostgreSQL: one row each beside its ledger entry, so that each starts from the last."""  # noqa: E501

from collections.abc import Sequence
from typing import Any

import msgspec

from ai_agent_mesh.evidence import Entry
from ai_agent_mesh.evidence.amendment import Amendment
from ai_agent_mesh.operations.amendments.model import AmendmentView
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Fault

_CALLS = """
SELECT digest, bytes FROM ledger_entry WHERE id = $1 AND kind = 'call' ORDER BY seq LIMIT 1
"""
_LAST = """
SELECT fault, ordinal FROM amendment WHERE digest = $1 ORDER BY ordinal DESC LIMIT 1
"""
_INSERT = """
INSERT INTO amendment (id, entry, digest, ordinal, at, was, fault, reason, amended_at, amended_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_PAGE = """
SELECT id, tenant_id AS tenant, entry, at, was, fault, reason, amended_at, amended_by
FROM amendment WHERE ($1::text IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
"""

Row = Any  # an asyncpg record: its columns are those of the query


class Found(msgspec.Struct, frozen=True):
    """A numbered call."""

    entry: Entry
    #: SHA-256 of its bytes, in hexadecimal.
    digest: str


class AmendmentStore:
    """Corrections of the transaction's tenant; of everybody for the operations role."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def call(self, entry_id: str) -> Found | None:
        """Return a numbered call by its id; operations role.

        Of two entries under one id, which a lost confirmation can leave, it is the first.
        """
        row = await self._tx.fetchrow(_CALLS, entry_id)
        if row is None:
            return None
        return Found(Entry.decode(row["bytes"]), row["digest"].hex())

    async def last(self, digest: str) -> tuple[Fault, int] | None:
        """Return the fault that the last correction of a call left, and its ordinal."""
        row = await self._tx.fetchrow(_LAST, digest)
        return None if row is None else (Fault(row["fault"]), row["ordinal"])

    async def insert(self, one: Amendment, made: Entry, ordinal: int) -> None:
        """Keep a correction.

        Raises:
            UniqueViolationError of asyncpg: somebody else corrected the same call meanwhile.
        """
        await self._tx.execute(
            _INSERT, made.id, one.entry, one.digest, ordinal, one.at, one.was.value,
            one.fault.value, one.reason, made.at, made.actor,
        )  # fmt: skip

    async def page(self, page: Page) -> Sequence[AmendmentView]:
        """Return a page, newest first, and one more if there is one."""
        rows = await self._tx.fetch(_PAGE, page.after, page.limit + 1)
        return [msgspec.convert(dict(row), AmendmentView) for row in rows]
