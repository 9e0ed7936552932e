"""Does outside tasks once: looks into the journal, decides, acts, and remembers with the evidence.

The checkpoint of a task is its journal row, and the row, the ledger entry and the span of the task
are written in one transaction that holds the worker's lease and the run. So evidence and memory
cannot part, a worker that lost its lease adds nothing, and DBOS sees ids alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Unit
from ai_agent_mesh.plumbing.jobs import Fenced, enqueue
from ai_agent_mesh.plumbing.observe import Trace, bound, current
from ai_agent_mesh.plumbing.postgres import DatabaseAway, Tx
from ai_agent_mesh.product.ledger import Inbox
from ai_agent_mesh.product.orchestration.definition import Task
from ai_agent_mesh.product.orchestration.errors import Raised, error_of, raised
from ai_agent_mesh.product.orchestration.ports import Parked, Spot, State, Step
from ai_agent_mesh.product.orchestration.rules import SHORT_WAIT_S
from ai_agent_mesh.product.orchestration.segment.calls import CALLS, AgentCallFailed, Answered
from ai_agent_mesh.product.orchestration.segment.given import Equipment, RunFacts
from ai_agent_mesh.product.orchestration.segment.journal import Journal, Row, Stopped, summary
from ai_agent_mesh.product.orchestration.segment.record import task_entry, task_span
from ai_agent_mesh.product.telemetry import Recorder

Json = Any  # what JSON can say

_PARK = """
UPDATE run SET state = 'waiting', segment = segment + 1, owner = NULL WHERE id = $1
RETURNING segment
"""
_ASK = """
INSERT INTO approval (id, run_id, task_id, workflow, task, asks, state, created_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)
"""
_ANSWER = """
SELECT id, state, comment, data, decided_by, decided_at FROM approval WHERE task_id = $1
"""
_LAPSE = "UPDATE approval SET state = 'lapsed', decided_at = $2 WHERE id = $1 AND state = 'pending'"


class Steps:
    """The outside of one run in one segment."""

    def __init__(self, equipment: Equipment, run: RunFacts, journal: Journal) -> None:
        self._with = equipment
        self._run = run
        self._journal = journal
        self._now_s = run.started_at.timestamp()

    @property
    def now_s(self) -> float:
        """Return the moment of the latest remembered thing, in Unix seconds."""
        return self._now_s

    @property
    def since(self) -> datetime:
        """Return when the run was started, or resumed last."""
        return self._run.since

    def note(self, spot: Spot, task: Task, state: State, value: Json = None) -> None:
        """Remember how an inside task stands."""
        self._journal.note(spot, task, state, value, self._with.clock.now())

    async def perform(self, step: Step) -> Json:
        """Return the task's output, remembered or got now; see the port."""
        row = self._journal.find(step.spot.key)
        if row is not None and row.state in {"completed", "faulted"}:
            return self._remembered(row)
        # The key is the run's and the place's: the same after a takeover and in the next attempt.
        key = sha256(f"{self._run.id}{step.spot.effect}".encode()).hexdigest()[:40]
        with bound((current() or self._run.trace).child()) as trace:
            match step.kind:
                case "wait":
                    return await self._wait(step, row, trace)
                case "listen":
                    return await self._listen(step, row, trace)
            return await self._call(step, row, key, trace)

    def _remembered(self, row: Row) -> Json:
        if row.ended_at is not None:
            self._now_s = max(self._now_s, row.ended_at.timestamp())
        if row.state == "faulted":
            raise Raised(row.error, row.key)
        return row.output

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[Tx]:
        async with self._with.app.tenant(self._run.tenant_id) as tx:
            await self._hold(tx)
            yield tx

    async def _hold(self, tx: Tx) -> None:
        await self._with.lease.check(tx)
        await self._journal.hold(tx)
        await self._journal.flush(tx)

    async def _call(self, step: Step, row: Row | None, key: str, trace: Trace) -> Json:
        row = self._begun(step, row)
        row.input = summary(step.arguments)
        left_s = None if step.deadline_s is None else step.deadline_s - self._clock_s()
        work = Unit(self._with.app, self._run.tenant_id)
        work.first = self._hold
        answered = Answered()
        try:
            if left_s is not None and left_s <= 0:
                raise raised("timeout", "The time for this task is over.", step.task.place)
            call = CALLS[step.kind]
            answered = await call(self._with, self._run, step, work, key, left_s)
            row.output = answered.output
        except Raised as error:
            row.error = error.error
        except AgentCallFailed as failed:
            answered = failed.answered
            row.error = error_of(failed.fact, step.task.place)
        except (DatabaseAway, Fenced):
            raise
        except Fact as fact:
            row.error = error_of(fact, step.task.place)
        finally:
            await work.undo()
        answered.waited_us = work.waited_us
        return await self._complete(row, trace, answered)

    async def _complete(self, row: Row, trace: Trace, answered: Answered | None = None) -> Json:
        row.state = "completed" if row.error is None else "faulted"
        row.ended_at = self._with.clock.now()
        self._journal.put(row)
        async with self._held() as tx:
            if answered is not None and answered.record is not None:
                await answered.record(tx)
            await self._evidence(tx, row, trace, answered.waited_us if answered else 0)
        return self._remembered(row)

    async def _evidence(self, tx: Tx, row: Row, trace: Trace, waited_us: int) -> None:
        await Recorder(tx).record(task_span(self._run, row, trace))
        entry = task_entry(self._run, row, waited_us, self._with.playbook_digest)
        await Inbox.insert(tx, entry)

    def _begun(self, step: Step, row: Row | None) -> Row:
        if row is None:
            row = Row.begin(step.spot, step.task, step.kind, self._with.clock.now())
            self._journal.put(row)
        return row

    async def _wait(self, step: Step, row: Row | None, trace: Trace) -> Json:
        row = self._begun(step, row)
        if row.due_at is None:
            due = row.started_at + timedelta(seconds=step.arguments["seconds"])
            row.due_at = min(due, self._limit(step) or due)
        left_s = row.due_at.timestamp() - self._clock_s()
        if left_s > SHORT_WAIT_S:
            await self._park(row, row.due_at)
        if left_s > 0:
            row.state = "waiting"
            async with self._held():
                pass
            await asyncio.sleep(left_s)
        whole = row.started_at + timedelta(seconds=step.arguments["seconds"])
        if row.due_at < whole:
            row.error = raised("timeout", "The wait was longer than allowed.", row.place).error
        return await self._complete(row, trace)

    async def _listen(self, step: Step, row: Row | None, trace: Trace) -> Json:
        if row is None:
            row = self._begun(step, row)
            row.due_at = self._limit(step)
            row.input = step.arguments
            await self._park(row, row.due_at, ask=step.arguments)
        async with self._held() as tx:
            answer = await tx.fetchrow(_ANSWER, row.id)
            over = row.due_at is not None and row.due_at <= self._with.clock.now()
            if answer is not None and answer["state"] == "pending" and over:
                await tx.execute(_LAPSE, answer["id"], self._with.clock.now())
        if answer is None or answer["state"] == "lapsed" or (answer["state"] == "pending" and over):
            row.error = raised("timeout", "Nobody decided in time.", row.place).error
        elif answer["state"] == "pending":
            await self._park(row, row.due_at)
        else:
            row.output = [_event(dict(answer))]
        return await self._complete(row, trace)

    async def _park(self, row: Row, due_at: datetime | None, ask: Json = None) -> None:
        row.state = "waiting"
        self._journal.put(row)
        async with self._held() as tx:
            if ask is not None:
                await tx.execute(
                    _ASK,
                    new_id("apr"),
                    self._run.id,
                    row.id,
                    self._run.workflow,
                    row.name,
                    ask,
                    row.started_at,
                    due_at,
                )
            segment = await tx.fetchval(_PARK, self._run.id)
            if due_at is not None:
                await enqueue(tx, self._run.id, segment, due_at)
        raise Parked

    def _limit(self, step: Step) -> datetime | None:
        return None if step.deadline_s is None else datetime.fromtimestamp(step.deadline_s, UTC)

    def _clock_s(self) -> float:
        return self._with.clock.now().timestamp()


def _event(answer: dict[str, Json]) -> dict[str, Json]:
    """Return what a `listen` gives for a decision."""
    return {
        "approval": answer["id"],
        "approved": answer["state"] == "approved",
        "decision": answer["state"],
        "by": answer["decided_by"],
        "at": answer["decided_at"].isoformat(),
        "comment": answer["comment"],
        "data": answer["data"],
    }


__all__ = ["Steps", "Stopped"]
