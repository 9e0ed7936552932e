"""The tables of workflows, runs, their journal and approvals, through one tenant's transaction."""

# ruff: noqa: S608 - column lists of this module are put in, and nothing else

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.orchestration.model import Approval, Run, RunTask, Workflow
from ai_agent_mesh.product.orchestration.rules import CANCELLABLE, RESUMABLE

Json = Any  # what JSON can say

_HEADS = (
    "id, name, version, namespace, digest, created_at, created_by, disabled_at,"
    " NULL::jsonb AS definition, NULL::text AS source"
)
_WHOLE = _HEADS.replace("NULL::jsonb AS definition, NULL::text AS source", "definition, source")
_RUN = (
    "id, workflow, version, state, created_at, started_at, ended_at, actor, trace_id,"
    " input, output, error"
)
_TASK = (
    "id, key, place, name, kind, attempt, state, started_at, ended_at, due_at, input, output, error"
)
_APPROVAL = (
    "id, run_id, workflow, task, asks, state, comment, data, decided_by, created_at, decided_at,"
    " due_at"
)


class WorkflowStore:
    """Definitions by name and version."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, workflow: Workflow) -> bool:
        """Keep a version, unless there is one of its number; tell whether it was kept."""
        return bool(
            await self._tx.execute(
                "INSERT INTO workflow (id, name, version, namespace, definition, source, digest,"
                " created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                " ON CONFLICT (tenant_id, name, version) DO NOTHING",
                workflow.id,
                workflow.name,
                workflow.version,
                workflow.namespace,
                workflow.definition,
                workflow.source,
                workflow.digest,
                workflow.created_at,
                workflow.created_by,
            )
        )

    async def find(self, name: str, version: str | None) -> Workflow | None:
        """Return one version, or the newest."""
        row = await self._tx.fetchrow(
            f"SELECT {_WHOLE} FROM workflow WHERE tenant_id = mesh_tenant() AND name = $1"
            " AND ($2::text IS NULL OR version = $2) ORDER BY id DESC LIMIT 1",
            name,
            version,
        )
        return None if row is None else msgspec.convert(dict(row), Workflow)

    async def versions(self, name: str) -> list[str]:
        """Return a workflow's versions, the newest first."""
        rows = await self._tx.fetch(
            "SELECT version FROM workflow WHERE tenant_id = mesh_tenant() AND name = $1"
            " ORDER BY id DESC",
            name,
        )
        return [row["version"] for row in rows]

    async def list(self, after: str | None, limit: int) -> Sequence[Workflow]:
        """Return the newest version of each workflow that is not disabled, by name."""
        rows = await self._tx.fetch(
            f"SELECT DISTINCT ON (name) {_HEADS} FROM workflow WHERE tenant_id = mesh_tenant()"
            " AND disabled_at IS NULL AND ($1::text IS NULL OR name > $1)"
            " ORDER BY name, id DESC LIMIT $2",
            after,
            limit,
        )
        return [msgspec.convert(dict(row), Workflow) for row in rows]

    async def disable(self, name: str, at: datetime) -> bool:
        """Disable every version; tell whether there was one that could run."""
        return bool(
            await self._tx.execute(
                "UPDATE workflow SET disabled_at = $2 WHERE tenant_id = mesh_tenant()"
                " AND name = $1 AND disabled_at IS NULL",
                name,
                at,
            )
        )

    async def enable(self, workflow_id: str) -> None:
        """Let a version run again."""
        await self._tx.execute("UPDATE workflow SET disabled_at = NULL WHERE id = $1", workflow_id)


class RunStore:
    """Runs and their journals."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def insert(self, run: Run, workflow_id: str, about: dict[str, str | None]) -> None:
        """Keep a new run; `about` is who started it, in which trace."""
        await self._tx.execute(
            "INSERT INTO run (id, workflow_id, workflow, version, state, input, actor, role, tier,"
            " trace_id, span_id, request_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            run.id,
            workflow_id,
            run.workflow,
            run.version,
            run.state,
            run.input,
            run.actor,
            about["role"],
            about["tier"],
            run.trace_id,
            about["span_id"],
            about["request_id"],
            run.created_at,
        )

    async def find(self, run_id: str) -> Run | None:
        """Return a run."""
        row = await self._tx.fetchrow(f"SELECT {_RUN} FROM run WHERE id = $1", run_id)
        return None if row is None else msgspec.convert(dict(row), Run)

    async def tasks(self, run_id: str) -> list[RunTask]:
        """Return what a run's tasks did, in order."""
        rows = await self._tx.fetch(
            f"SELECT {_TASK} FROM run_task WHERE run_id = $1 ORDER BY started_at, id", run_id
        )
        return [msgspec.convert(dict(row), RunTask) for row in rows]

    async def list(
        self, workflow: str | None, state: str | None, after: str | None, limit: int
    ) -> Sequence[Run]:
        """Return runs, the newest first, without their payloads."""
        rows = await self._tx.fetch(
            f"SELECT {_RUN.replace('input, output', 'NULL AS input, NULL AS output')} FROM run"
            " WHERE tenant_id = mesh_tenant() AND ($1::text IS NULL OR workflow = $1)"
            " AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR id < $3)"
            " ORDER BY id DESC LIMIT $4",
            workflow,
            state,
            after,
            limit,
        )
        return [msgspec.convert(dict(row), Run) for row in rows]

    async def cancel(self, run_id: str, at: datetime) -> bool:
        """End a run that has not ended; tell whether it had not."""
        changed = await self._tx.execute(
            "UPDATE run SET state = 'cancelled', ended_at = $2"
            " WHERE id = $1 AND state = ANY($3::text[])",
            run_id,
            at,
            list(CANCELLABLE),
        )
        if not changed:
            return False
        await self._tx.execute(
            "UPDATE run_task SET state = 'cancelled', ended_at = $2"
            " WHERE run_id = $1 AND state IN ('running', 'waiting')",
            run_id,
            at,
        )
        await self._tx.execute(
            "UPDATE approval SET state = 'lapsed', decided_at = $2"
            " WHERE run_id = $1 AND state = 'pending'",
            run_id,
            at,
        )
        return True

    async def resume(self, run_id: str) -> int | None:
        """Make a faulted or cancelled run pending; return its next segment, or None.

        What was cut off is forgotten, and so is the failure that ended the run: these are done
        again. Everything else stays as it is remembered.
        """
        segment = await self._tx.fetchval(
            "UPDATE run SET state = 'pending', segment = segment + 1, owner = NULL, error = NULL,"
            " ended_at = NULL, resumed_at = now()"
            " WHERE id = $1 AND state = ANY($2::text[]) RETURNING segment",
            run_id,
            list(RESUMABLE),
        )
        if segment is None:
            return None
        await self._tx.execute(
            "DELETE FROM run_task t USING run r WHERE r.id = $1 AND t.run_id = $1"
            " AND (t.state = 'cancelled' OR t.key = r.fault_key)",
            run_id,
        )
        return int(segment)

    async def wake(self, run_id: str) -> int | None:
        """Make a waiting run pending; return its next segment, or None if it does not wait."""
        segment: int | None = await self._tx.fetchval(
            "UPDATE run SET state = 'pending', segment = segment + 1, owner = NULL"
            " WHERE id = $1 AND state = 'waiting' RETURNING segment",
            run_id,
        )
        return segment


class ApprovalStore:
    """Approvals."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def find(self, approval_id: str) -> Approval | None:
        """Return an approval."""
        row = await self._tx.fetchrow(
            f"SELECT {_APPROVAL} FROM approval WHERE id = $1", approval_id
        )
        return None if row is None else _approval(row)

    async def list(self, state: str | None, after: str | None, limit: int) -> Sequence[Approval]:
        """Return approvals, the newest first."""
        rows = await self._tx.fetch(
            f"SELECT {_APPROVAL} FROM approval WHERE tenant_id = mesh_tenant()"
            " AND ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR id < $2)"
            " ORDER BY id DESC LIMIT $3",
            state,
            after,
            limit,
        )
        return [_approval(row) for row in rows]

    async def decide(self, approval: Approval) -> bool:
        """Write a decision, if none is there; tell whether it was written."""
        return bool(
            await self._tx.execute(
                "UPDATE approval SET state = $2, comment = $3, data = $4, decided_by = $5,"
                " decided_at = $6 WHERE id = $1 AND state = 'pending'",
                approval.id,
                approval.state,
                approval.comment,
                approval.data,
                approval.decided_by,
                approval.decided_at,
            )
        )


def _approval(row: asyncpg.Record) -> Approval:
    return msgspec.convert(dict(row), Approval)


async def runs_by_state(tx: Tx) -> dict[str, int]:
    """Return how many runs of all tenants are under way, by state; one without any is left out."""
    rows = await tx.fetch(
        "SELECT state, count(*) AS runs FROM run"
        " WHERE state IN ('pending', 'running', 'waiting') GROUP BY state"
    )
    return {row["state"]: row["runs"] for row in rows}


async def forget_runs(tx: Tx, before: datetime) -> int:
    """Drop the tenant's runs that ended before a moment, with their journals; return how many."""
    return await tx.execute(
        "DELETE FROM run WHERE tenant_id = (SELECT mesh_tenant()) AND ended_at < $1", before
    )
