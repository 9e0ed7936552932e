"""Gathers from the ledger what proves one statement, as lines that need no database."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from tempfile import SpooledTemporaryFile
from typing import Any

import msgspec

from ai_agent_mesh.evidence import (
    Batch,
    End,
    Key,
    Line,
    MinutesSeal,
    Signs,
    sealed,
)
from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.maintenance import numbers
from ai_agent_mesh.operations.objectives.page import CARRIED_ENTRIES, as_page
from ai_agent_mesh.operations.objectives.recount import Recount
from ai_agent_mesh.operations.objectives.service import Objectives
from ai_agent_mesh.operations.planned import Link
from ai_agent_mesh.operations.statements import (
    HOUR,
    PROBE,
    MinutesLine,
    Piece,
    PlannedWork,
    PlaybookText,
    Stated,
    Statement,
    canonical,
    decoder,
    line,
    opened,
    signed,
)
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.playbook import canonical as written
from ai_agent_mesh.plumbing.postgres import Database, Tx, snapshot
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Evidence, playbook_text, proven, tenant_head, turns
from ai_agent_mesh.sla import Category, Service

_DAY = 24 * HOUR
#: Bytes; what is laid down and is more goes to a file without a name.
_IN_MEMORY = 1_000_000
_MINUTES = """
SELECT service, category, date_trunc('hour', minute) AS hour,
       extract(minute FROM minute)::int AS number,
       calls, valid, bad, timed, within_p50, within_p95, within_p99
FROM ledger_minute WHERE tenant_id = $1 AND minute >= $2 AND minute < $3
ORDER BY service, category, minute
"""

Row = Any  # an asyncpg record: its columns are those of the query


@dataclass(frozen=True, slots=True)
class _Found:
    """What one moment of the database gave."""

    statement: Statement
    opening: Sequence[Piece]
    #: The batches that show which playbook judges each month.
    turns: Sequence[Batch]
    #: Entries that are proven each alone: a tenant and a number.
    loose: Sequence[tuple[str, int]]

    @property
    def span(self) -> Span:
        return Span(self.statement.since, self.statement.until)

    @property
    def tenants(self) -> tuple[str, str]:
        return self.statement.tenant, PROBE


class Bundles:
    """Evidence of statements. `database` is of the operations role; `signer` signs the ledger."""

    def __init__(self, database: Database, playbook: Playbook, clock: Clock, signer: Signs) -> None:
        self._database = database
        self._playbook = playbook
        self._clock = clock
        self._signer = signer
        self._objectives = Objectives(database, playbook, clock)

    async def signed(self, tenant: str, asked: Month | Span) -> Statement:
        """Return a statement with its signature; raises as `Objectives.statement`."""
        return signed(await self._objectives.statement(tenant, asked), self._signer)

    async def page(self, tenant: str, asked: Month | Span) -> str:
        """Return the statement as a page that carries its evidence; raises as `lines`."""
        lines = [line async for line in self.lines(tenant, asked, entries=CARRIED_ENTRIES)]
        stated = decoder.decode(lines[0])
        assert isinstance(stated, Stated)  # noqa: S101 - it is what a bundle begins with
        return as_page(opened(stated), lines)

    async def lines(
        self, tenant: str, asked: Month | Span, *, entries: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Yield a bundle's lines, each ended by a line feed; memory stays at a day.

        With `entries`, those are left out when there are more of them: then the signed roll-ups
        bear the figures. However slowly the lines are taken, no transaction stays open meanwhile.

        Raises:
            TenantMissing, SpanAhead, SeveralAgreements, AgreementUnreadable
            EntryUnreadable: an entry's bytes are not UTF-8 text.
        """
        # Statement and minutes tell of one moment, so they are laid down; entries never change.
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as laid:
            async with snapshot(self._database) as tx:
                found = await self._found(tx, tenant, asked)
                for piece in found.opening:
                    laid.write(line(piece))
                for who in found.tenants:
                    async for made in self._minutes(tx, who, found.span):
                        laid.write(made)
            laid.seek(0)
            for made in laid:
                yield made
        count = [0, 0]
        async for piece in self._proofs(found, entries):
            count[0] += isinstance(piece, Batch)
            count[1] += isinstance(piece, Line)
            yield line(piece)
        yield line(End(*count))

    async def _found(self, tx: Tx, tenant: str, asked: Month | Span) -> _Found:
        evidence = Evidence(tx)
        statement = signed(await self._objectives.statement_in(tx, tenant, asked), self._signer)
        span = Span(statement.since, statement.until)
        return _Found(
            statement,
            [
                _stated(statement),
                *(Key(*one) for one in (await self._keys(evidence)).items()),
                PlaybookText(statement.playbook, await self._text(tx, statement.playbook)),
            ],
            await turns(tx, span.months if span.length else ()),
            await _loose(tx, statement),
        )

    async def _keys(self, evidence: Evidence) -> dict[str, bytes]:
        return {**await evidence.keys(), self._signer.key_id: self._signer.public_bytes}

    async def _text(self, tx: Tx, digest: str) -> str:
        kept = await playbook_text(tx, digest)
        return kept or written(self._playbook).decode()  # not kept: the ledger is empty

    async def _minutes(self, tx: Tx, tenant: str, span: Span) -> AsyncIterator[bytes]:
        digest, count, day = sha256(), 0, span.since
        while day < span.until:
            end = min(day + _DAY, span.until)
            for piece in _hours(tenant, await tx.fetch(_MINUTES, tenant, day, end)):
                made = line(piece)
                digest.update(made)
                count += 1
                yield made
            day = end
        seal = MinutesSeal(
            tenant=tenant,
            since=span.since,
            until=span.until,
            lines=count,
            digest=digest.digest(),
            key_id=self._signer.key_id,
        )
        yield line(sealed(seal, self._signer))

    async def _proofs(self, found: _Found, limit: int | None) -> AsyncIterator[Piece]:
        for batch in found.turns:
            yield batch
        for tenant, number in found.loose:
            async for piece in proven(self._database, tenant, number, number):
                yield piece
        parts = [
            (one.tenant, (one.first_number or 0, one.last_number or 0), one.entries)
            for one in found.statement.ledger
        ]
        if limit is not None and sum(last - first + 1 for _, (first, last), _ in parts) > limit:
            return
        now = self._clock.now()
        for who, (first, last), inside in parts:
            yield await tenant_head(
                self._database, who, found.span, (first, last), inside, self._signer, now
            )
            async for piece in proven(self._database, who, max(first, 1), last):
                yield piece


def _stated(statement: Statement) -> Stated:
    signature = statement.signature
    assert signature is not msgspec.UNSET  # noqa: S101 - it was signed a line ago
    return Stated(canonical(statement).decode(), signature.key_id, signature.value, 1)


def _hours(tenant: str, rows: Sequence[Row]) -> Iterator[MinutesLine]:
    """Yield a line for each hour of a service and category; the rows are in that order."""
    for start, group in groupby(rows, key=_start):
        yield MinutesLine(tenant, *start, [tuple(row)[3:] for row in group])


def _start(row: Row) -> tuple[Service, Category, datetime]:
    return row["service"], row["category"], row["hour"]


async def _loose(tx: Tx, statement: Statement) -> list[tuple[str, int]]:
    """Return what corrects, announces, cancels and tells, and since when services are watched."""
    stood = statement.planned_work or PlannedWork(acts=0, hash=b"")
    said = await numbers(tx, Link(stood.acts, stood.hash))
    told = [one.number for work in statement.maintenance for one in work.notices or ()]
    first = await Recount(tx).first_probes(statement.until)
    return [
        *((made.tenant, made.number) for made in statement.amendments),
        *((PLATFORM_TENANT, number) for number in said),
        *((statement.tenant, number) for number in told),
        *((PROBE, number) for number in sorted({number for number, _ in first.values()})),
    ]
