"""Spans in PostgreSQL: written once, read by time, agent, workflow and trace."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.telemetry.listeners import announce
from ai_agent_mesh.product.telemetry.model import (
    Bucket,
    Figures,
    Kind,
    Slice,
    SpanRecord,
    StoredSpan,
    Usage,
)

_COLUMNS = (
    "started_at, id, trace_id, span_id, parent_id, name, kind, duration_us, input_tokens,"
    " output_tokens, cost, error_type, agent_id, workflow, run_id, attributes"
)
_INSERT = f"""
INSERT INTO span ({_COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""  # noqa: S608 - a constant list of our own columns
_TYPES = (
    "timestamptz[], text[], text[], text[], text[], text[], text[], bigint[], bigint[], bigint[],"
    " numeric[], text[], text[], text[], text[], jsonb[]"
)
_INSERT_MANY = f"""
INSERT INTO span ({_COLUMNS})
SELECT * FROM unnest({", ".join(f"${place}::{type_}" for place, type_ in enumerate(_TYPES.split(", "), 1))})
"""  # noqa: S608, E501 - a constant list of our own columns
_WHERE = """
FROM span
WHERE tenant_id = (SELECT mesh_tenant()) AND started_at >= $1 AND started_at < $2
  AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR agent_id = $4)
  AND ($5::text IS NULL OR workflow = $5)
"""
# `percentile_disc` returns a duration that happened; percentiles are never averaged.
_FIGURES = """
count(*) AS count, count(error_type) AS errors,
coalesce(sum(input_tokens), 0)::bigint AS input_tokens,
coalesce(sum(output_tokens), 0)::bigint AS output_tokens,
coalesce(sum(cost), 0) AS cost,
percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_us) AS percentiles
"""
_USAGE_KEYS: Mapping[str, str] = {
    "agent": "agent_id",
    "workflow": "workflow",
    "day": "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}


class Recorder:
    """Keeps spans, in the transaction of the work they describe."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def record(self, span: SpanRecord) -> str:
        """Keep one span and return its id."""
        row = _row(span)
        await self._tx.execute(_INSERT, *row)
        announce(self._tx.tenant_id, span)
        return str(row[1])

    async def forget(self, before: datetime) -> int:
        """Drop the tenant's spans that started before a moment; return how many."""
        return await self._tx.execute(
            "DELETE FROM span WHERE tenant_id = (SELECT mesh_tenant()) AND started_at < $1", before
        )

    async def record_many(self, spans: Sequence[SpanRecord]) -> tuple[str, ...]:
        """Keep several in one statement and return their ids, in the same order."""
        rows = [_row(span) for span in spans]
        if rows:
            await self._tx.execute(
                _INSERT_MANY, *(list(column) for column in zip(*rows, strict=True))
            )
        return tuple(str(row[1]) for row in rows)


class SpanStore:
    """Reads one tenant's spans."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def figures(self, part: Slice) -> Figures:
        """Return the figures of all spans of a slice."""
        row = await self._tx.fetchrow(f"SELECT {_FIGURES} {_WHERE}", *_asked(part))
        return Figures(**_figures(row))

    async def series(self, part: Slice, step: timedelta) -> list[Bucket]:
        """Return the figures of each step that has spans, in order of time."""
        rows = await self._tx.fetch(
            f"SELECT date_bin($6, started_at, $1) AS since, {_FIGURES} {_WHERE}"
            " GROUP BY 1 ORDER BY 1",
            *_asked(part),
            step,
        )
        return [Bucket(since=row["since"], **_figures(row)) for row in rows]

    async def usage(self, part: Slice, by: str) -> list[Usage]:
        """Return what each agent, workflow or day used; `by` is one of those three words.

        Only work is counted: agent calls, which carry the tokens. Runs and tasks contain them.
        """
        rows = await self._tx.fetch(
            f"SELECT {_USAGE_KEYS[by]} AS key, count(*) AS calls, count(error_type) AS errors,"
            " coalesce(sum(input_tokens), 0)::bigint AS input_tokens,"
            " coalesce(sum(output_tokens), 0)::bigint AS output_tokens,"
            " coalesce(sum(cost), 0) AS cost, coalesce(sum(duration_us), 0)::bigint AS duration_us"
            f" {_WHERE} GROUP BY 1 ORDER BY 1",
            *_asked(part),
        )
        return [Usage(**dict(row)) for row in rows]

    async def trace(self, trace_id: str, limit: int) -> list[StoredSpan]:
        """Return the spans of a trace in the order in which they started."""
        rows = await self._tx.fetch(
            f"SELECT {_COLUMNS} FROM span"  # noqa: S608
            " WHERE tenant_id = (SELECT mesh_tenant()) AND trace_id = $1"
            " ORDER BY started_at, id LIMIT $2",
            trace_id,
            limit,
        )
        return [_span(dict(row)) for row in rows]

    async def page(
        self, part: Slice, before: tuple[datetime, str] | None, limit: int
    ) -> list[StoredSpan]:
        """Return spans of a slice, the latest first, that started before a given one."""
        rows = await self._tx.fetch(
            f"SELECT {_COLUMNS} {_WHERE}"
            " AND ($6::timestamptz IS NULL OR (started_at, id) < ($6, $7))"
            " ORDER BY started_at DESC, id DESC LIMIT $8",
            *_asked(part),
            *(before or (None, None)),
            limit,
        )
        return [_span(dict(row)) for row in rows]


def _row(span: SpanRecord) -> tuple[object, ...]:
    return (
        span.started_at,
        new_id("spn"),
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.name,
        span.kind.value,
        span.duration_us,
        span.input_tokens,
        span.output_tokens,
        span.cost,
        span.error_type,
        span.agent_id,
        span.workflow,
        span.run_id,
        span.attributes,
    )


def _asked(part: Slice) -> tuple[object, ...]:
    kind = None if part.kind is None else part.kind.value
    return (part.since, part.until, kind, part.agent_id, part.workflow)


def _figures(row: Any) -> dict[str, Any]:  # the columns of _FIGURES, each of its own type
    fields = {name: row[name] for name in ("count", "errors", "input_tokens", "output_tokens")}
    percentiles = row["percentiles"] or (None, None, None)
    names = ("p50_us", "p95_us", "p99_us")
    return {**fields, "cost": Decimal(row["cost"]), **dict(zip(names, percentiles, strict=True))}


def _span(row: Mapping[str, object]) -> StoredSpan:
    return msgspec.convert({**row, "kind": Kind(str(row["kind"]))}, StoredSpan)
