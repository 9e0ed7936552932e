"""A run's journal: what its tasks did, read at a segment's start and written step by step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.orchestration.definition import Task
from ai_agent_mesh.product.orchestration.model import SHOWN_BYTES, shortened
from ai_agent_mesh.product.orchestration.ports import Spot, State

Json = Any  # what JSON can say

CLAIM = """
UPDATE run SET owner = $3, state = 'running', started_at = coalesce(started_at, $4)
WHERE id = $1 AND segment = $2 AND state IN ('pending', 'waiting', 'running')
RETURNING workflow, version, input, actor, role, tier, trace_id, span_id, request_id, created_at,
  started_at, coalesce(resumed_at, started_at) AS since,
  (SELECT definition FROM workflow w WHERE w.id = workflow_id) AS definition
"""
# Cancelled, woken to another segment or claimed by another worker: then nothing may be written.
_HOLD = """
SELECT state FROM run WHERE id = $1 AND segment = $2 AND owner = $3 FOR NO KEY UPDATE
"""
_WRITE = """
INSERT INTO run_task (id, run_id, key, place, name, kind, attempt, state, started_at, ended_at,
  due_at, input, output, error)
SELECT id, $1, key, place, name, kind, attempt, state, started_at, ended_at, due_at,
  nullif(input, 'null'), nullif(output, 'null'), nullif(error, 'null')
FROM jsonb_to_recordset($2) AS t(id text, key text, place text, name text, kind text, attempt int,
  state text, started_at timestamptz, ended_at timestamptz, due_at timestamptz, input jsonb,
  output jsonb, error jsonb)
ON CONFLICT (run_id, key) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at,
  due_at = excluded.due_at, input = excluded.input, output = excluded.output,
  error = excluded.error
"""
_READ = """
SELECT t.id, t.key, t.place, t.name, t.kind, t.attempt, t.state, t.started_at, t.ended_at,
  t.due_at, t.input, t.output, t.error FROM run_task t WHERE t.run_id = $1
"""
OUTSIDE = frozenset({"wait", "listen", "call:http", "call:a2a"})


class Stopped(Exception):  # noqa: N818 - somebody wanted it so
    """The run was cancelled or handed on: this segment has nothing more to write."""


@dataclass(slots=True)
class Row:
    """One execution of a task, as the journal keeps it."""

    id: str
    key: str
    place: str
    name: str
    kind: str
    attempt: int
    state: State
    started_at: datetime
    ended_at: datetime | None = None
    due_at: datetime | None = None
    input: Json = None
    output: Json = None
    error: Json = None

    @classmethod
    def begin(cls, spot: Spot, task: Task, kind: str, at: datetime) -> "Row":
        """Return the row of a task that begins now."""
        return cls(
            new_id("tsk"), spot.key, task.place, task.name, kind, spot.attempt, "running", at
        )


class Journal:
    """The rows of one run, those to be written among them."""

    def __init__(self, run_id: str, segment: int, owner: str) -> None:
        self._run_id = run_id
        self._segment = segment
        self._owner = owner
        self._rows: dict[str, Row] = {}
        self._unwritten: dict[str, Row] = {}

    async def load(self, tx: Tx) -> None:
        """Read what is there."""
        for record in await tx.fetch(_READ, self._run_id):
            row = Row(**dict(record))
            self._rows[row.key] = row

    def find(self, key: str) -> Row | None:
        """Return the row of an execution."""
        return self._rows.get(key)

    def put(self, row: Row) -> None:
        """Keep a row, to be written with the next flush."""
        self._rows[row.key] = row
        self._unwritten[row.key] = row

    def note(self, spot: Spot, task: Task, state: State, value: Json, at: datetime) -> None:
        """Keep how an inside task stands; values are kept for showing only."""
        if task.kind in OUTSIDE and state != "skipped":
            return
        row = self._rows.get(spot.key)
        if row is not None and row.state in {state, "completed", "skipped"}:
            return  # a walk over known ground
        row = row or Row.begin(spot, task, task.kind, at)
        row.state, row.ended_at = state, None if state == "running" else at
        if state == "faulted":
            row.error = value
        elif state == "completed" and len(msgspec.json.encode(value)) <= SHOWN_BYTES:
            row.output = value
        self.put(row)

    async def hold(self, tx: Tx) -> None:
        """Bind the transaction to this segment.

        Raises:
            Stopped: the run is not this segment's any more.
        """
        if await tx.fetchval(_HOLD, self._run_id, self._segment, self._owner) != "running":
            raise Stopped

    async def flush(self, tx: Tx) -> None:
        """Write what is unwritten."""
        rows, self._unwritten = self._unwritten, {}
        if rows:
            await tx.execute(_WRITE, self._run_id, list(rows.values()))


def summary(value: Json) -> Json:
    """Return what is kept of an outside task's input: enough to show, never a burden."""
    return shortened(value)
