"""Holds what callers were told, what the database keeps, and what the outside saw together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncpg
from tests.soak.load import EFFECTS, Given
from tests.soak.system import NeverCame, System, until

from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.ledger import Entry, Kind, Receipt, verify

if TYPE_CHECKING:
    Link = asyncpg.Connection[asyncpg.Record]
Json = Any  # what JSON can say

_ENTRIES = "SELECT seq, digest, bytes FROM ledger_entry WHERE seq > $1 ORDER BY seq"
# Each row that a change made has one entry of its route and status, and each such entry its row. A
# repeated call that was given the first one's answer did nothing, and its entry names no object.
_CHANGES = {
    ("POST /v1/agents", 201): "SELECT id FROM agent",
    ("PATCH /v1/agents/{agent_id}", 200): "SELECT id FROM agent, generate_series(2, version)",
    ("POST /v1/workflows/{name}/runs", 202): "SELECT id FROM run",
}
_TASKS = """
SELECT id FROM run_task
WHERE kind IN ('call:http', 'call:a2a', 'wait') AND state IN ('completed', 'faulted')
"""
_UNENDED = """
SELECT id, state, segment, owner, q.status, q.executor_id FROM run
LEFT JOIN dbos.workflow_status q ON q.workflow_uuid = id || '.' || segment
WHERE state NOT IN ('completed', 'faulted', 'cancelled') AND run.created_at < $1
"""
_WAITING = "SELECT bytes FROM ledger_inbox"
_LEFT = "SELECT count(*) FROM ledger_inbox WHERE at < $1"


@dataclass
class Counted:
    """What one look at everything counted, and every fault that it found."""

    acknowledged: int = 0
    unanswered: int = 0
    entries: int = 0
    runs: int = 0
    effects: int = 0
    #: Requests that came to the outside again, under the same key.
    repeats: int = 0
    #: Ids under which two entries stand: the fate of a commit was never learned (docs/ledger.md).
    doubles: int = 0
    faults: list[str] = field(default_factory=list)

    def same(self, what: str, one: Iterable[object], other: Iterable[object]) -> None:
        """Note a fault where two sides do not hold the same, each as often."""
        left, right = Counter(one), Counter(other)
        if left != right:
            self.faults.append(f"{what}: {_some(left - right)} against {_some(right - left)}")

    def none(self, what: str, found: Iterable[object]) -> None:
        """Note a fault where there is anything."""
        if some := list(found):
            self.faults.append(f"{what}: {_some(some)}")


class Reckoning:
    """Looks at everything once the callers have come to rest; it remembers what it has read."""

    def __init__(self, system: System, given: Given) -> None:
        self._system = system
        self._given = given
        self._entries: list[Entry] = []
        self._receipts: set[Receipt] = set()
        self._read = 0

    async def settle(self) -> None:
        """Wait until what was begun has ended: runs are over, entries are numbered."""
        async with self._system.inside() as link:
            now = await link.fetchval("SELECT clock_timestamp()")

            left: list[tuple[object, ...]] = []

            async def over() -> bool:
                left[:] = [tuple(row) for row in await link.fetch(_UNENDED, now)]
                return not left

            async def numbered() -> bool:
                spooled = any((self._system.settings.data / "spool").glob("*.ndjson"))
                return not spooled and not await link.fetchval(_LEFT, now)

            try:
                await until(over, "every accepted run comes to an end")
            except NeverCame as error:
                raise NeverCame(f"{error}: {_some(left)}") from error
            await until(numbered, "every entry is numbered")

    async def look(self) -> Counted:
        """Compare everything with everything; the database as it is at one moment."""
        given = self._given
        counted = Counted(
            acknowledged=len(given.receipts), unanswered=given.unanswered, runs=len(given.runs)
        )
        counted.none("answers without a receipt", given.bare.items())
        async with (
            self._system.inside() as link,
            link.transaction(isolation="repeatable_read", readonly=True),
        ):
            await self._read_entries(link)
            # The probe goes on meanwhile: what it does is booked, and not numbered yet.
            waiting = [Entry.decode(row["bytes"]) for row in await link.fetch(_WAITING)]
            await self._changes(counted, link, [*self._entries, *waiting])
            await self._runs(counted, link)
        counted.entries = len(self._entries)
        counted.none("receipts without their entry", given.receipts.keys() - self._receipts)
        counted.none("bugs", (f"{e.id} {e.route}" for e in self._entries if e.status == 500))
        self._doubles(counted)
        await self._outside(counted)
        await self._ledger(counted)
        return counted

    async def _read_entries(self, link: "Link") -> None:
        for row in await link.fetch(_ENTRIES, self._read):
            entry = Entry.decode(row["bytes"])
            self._entries.append(entry)
            self._receipts.add(Receipt(entry.id, row["digest"]))
            self._read = row["seq"]

    def _doubles(self, counted: Counted) -> None:
        """Two entries under one id are an answer that was withdrawn, and the refusal after it."""
        by_id: dict[str, list[Entry]] = {}
        for entry in self._entries:
            by_id.setdefault(entry.id, []).append(entry)
        doubled = [found for found in by_id.values() if len(found) > 1]
        counted.doubles = len(doubled)
        counted.none(
            "entries under one id",
            (found for found in doubled if sorted(e.late for e in found) != [False, True]),
        )

    async def _changes(self, counted: Counted, link: "Link", entries: Sequence[Entry]) -> None:
        for (route, status), sql in _CHANGES.items():
            said = [
                entry.object
                for entry in entries
                if (entry.route, entry.status) == (route, status) and entry.object
            ]
            rows = [row["id"] for row in await link.fetch(sql)]
            counted.same(f"entries of {route} and what they did", said, rows)
        tasks = [e.detail["task"] for e in entries if e.kind is Kind.TASK]
        done = [row["id"] for row in await link.fetch(_TASKS)]
        counted.same("entries of tasks and their journal", tasks, done)
        counted.none("one key, two answers", (k for k, v in self._given.made.items() if len(v) > 1))

    async def _runs(self, counted: Counted, link: "Link") -> None:
        rows = await link.fetch("SELECT id, state, error FROM run WHERE tenant_id <> 'probe'")
        counted.same("accepted runs", self._given.runs, (row["id"] for row in rows))
        counted.none(
            "runs that did not complete",
            (tuple(row) for row in rows if row["state"] != "completed"),
        )

    async def _outside(self, counted: Counted) -> None:
        journal = await self._system.journal()
        done = [_effect(one.said) for one in journal.asked if not one.repeated]
        wanted = [(run, n) for run in self._given.runs for n in range(1, EFFECTS + 1)]
        counted.same("effects outside", done, [*wanted, *((k, 0) for k in self._given.invoked)])
        counted.effects = len(done)
        counted.repeats = len(journal.asked) - len(done)

    async def _ledger(self, counted: Counted) -> None:
        settings = self._system.settings
        pinned = [Signer.load_or_create(settings.ledger_key).public_bytes]
        operations = await Database.open(settings.database_url or "", Role.OPERATIONS)
        try:
            report = await verify(operations, pinned=pinned)
        finally:
            await operations.close()
        counted.none("the ledger is not sound", report.failures)


def _effect(said: Mapping[str, Json]) -> tuple[str, int]:
    return (said["invoked"], 0) if "invoked" in said else (said["run"], said["n"])


def _some(found: Iterable[object]) -> str:
    shown = [str(one) for one in found]
    return ", ".join(shown[:5]) + (f" … ({len(shown)})" if len(shown) > 5 else "") or "nothing"
