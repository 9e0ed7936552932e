"""What is left behind of a task and of a run: spans under OpenTelemetry names, a ledger entry."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.observe import Trace
from ai_agent_mesh.product.ledger import Entry
from ai_agent_mesh.product.ledger import Kind as EntryKind
from ai_agent_mesh.product.orchestration.segment.given import RunFacts
from ai_agent_mesh.product.telemetry import Attribute, Kind, SpanRecord, names
from ai_agent_mesh.sla import Category, Fault, Service

if TYPE_CHECKING:
    from ai_agent_mesh.product.orchestration.segment.journal import Row

Json = Any  # what JSON can say


def run_span(run: RunFacts, ended_at: datetime, error: dict[str, Json] | None) -> SpanRecord:
    """Return the span of a whole run, from its acceptance to its end."""
    return SpanRecord(
        trace_id=run.trace.trace_id,
        span_id=run.trace.child().span_id,
        parent_id=run.trace.span_id,
        name=f"{names.INVOKE_WORKFLOW} {run.workflow}",
        kind=Kind.RUN,
        started_at=run.created_at,
        duration_us=micros(run.created_at, ended_at),
        attributes={names.OPERATION_NAME: names.INVOKE_WORKFLOW, names.WORKFLOW_NAME: run.workflow},
        error_type=_type(error),
        workflow=run.workflow,
        run_id=run.id,
    )


def task_span(run: RunFacts, row: "Row", trace: Trace) -> SpanRecord:
    """Return the span of one outside task."""
    attributes: dict[str, Attribute] = {
        names.OPERATION_NAME: names.EXECUTE_TOOL,
        names.TOOL_NAME: row.name,
        "mesh.task.kind": row.kind,
        "mesh.task.place": row.place,
        "mesh.task.attempt": row.attempt,
    }
    return SpanRecord(
        trace_id=trace.trace_id,
        span_id=trace.span_id,
        parent_id=trace.parent_id,
        name=f"{row.kind} {row.name}",
        kind=Kind.TASK,
        started_at=row.started_at,
        duration_us=micros(row.started_at, row.ended_at or row.started_at),
        attributes=attributes,
        error_type=_type(row.error),
        workflow=run.workflow,
        run_id=run.id,
    )


def task_entry(run: RunFacts, row: "Row", waited_us: int, playbook_digest: str) -> Entry:
    """Return the ledger entry of one outside task, with whose fault its failure was."""
    ended_at = row.ended_at or row.started_at
    duration = micros(row.started_at, ended_at)
    return Entry(
        id=new_id("ent"),
        kind=EntryKind.TASK,
        tenant=run.tenant_id,
        at=ended_at,
        service=Service.ORCHESTRATION,
        category=Category.WORKFLOW_EXECUTION,
        status=None if row.error is None else row.error.get("status"),
        fault=_fault(row.error),
        duration_us=duration,
        latency_us=max(duration - waited_us, 0),
        actor=run.actor,
        role=run.role,
        request_id=run.trace.request_id,
        trace_id=run.trace.trace_id,
        reason=_type(row.error),
        object=run.id,
        playbook=playbook_digest,
        detail={"task": row.id, "kind": row.kind, "place": row.place, "workflow": run.workflow},
    )


def micros(since: datetime, until: datetime) -> int:
    """Return the whole microseconds between two moments, never less than none."""
    return max(int((until - since).total_seconds() * 1_000_000), 0)


def _type(error: dict[str, Json] | None) -> str | None:
    return None if error is None else str(error.get("type", "")).rpartition("/")[2] or "error"


def _fault(error: dict[str, Json] | None) -> Fault:
    kind = _type(error)
    if kind is None:
        return Fault.NONE
    if kind in {"communication", "timeout"}:
        return Fault.UPSTREAM
    return Fault.PLATFORM if kind == "runtime" else Fault.CLIENT
