"""Workflows, runs, what their tasks did, and approvals, as they are kept and shown."""

from datetime import datetime
from typing import Any

import msgspec

Json = Any  # what JSON can say; it is the tenant's own

SHOWN_BYTES = 4_096


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a workflow; `source` is its text as it was handed in."""

    id: str
    name: str
    version: str
    namespace: str
    digest: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    definition: Json = None
    source: str | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a workflow."""

    id: str
    workflow: str
    version: str
    state: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    actor: str
    trace_id: str
    input: Json = None
    output: Json = None
    error: Json = None


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """What one execution of a task did; long values are shown shortened."""

    id: str
    key: str
    place: str
    name: str
    kind: str
    attempt: int
    state: str
    started_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    input: Json = None
    output: Json = None
    error: Json = None


class RunShown(Run, frozen=True, kw_only=True):
    """A run with its tasks, in the order in which they began."""

    tasks: list[RunTask] = []


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A question that a run put to a person, and the answer."""

    id: str
    run_id: str
    workflow: str
    task: str
    asks: Json
    state: str
    comment: str | None
    data: Json
    decided_by: str | None
    created_at: datetime
    decided_at: datetime | None
    due_at: datetime | None


def shortened(value: Json) -> Json:
    """Return a value for showing: itself, or the beginning of its text where it is long."""
    text = msgspec.json.encode(value)
    if len(text) <= SHOWN_BYTES:
        return value
    return {"shortened": text[:SHOWN_BYTES].decode(errors="ignore"), "bytes": len(text)}
