"""Answers what happened in a span of time: figures, series, usage, spans and whole traces."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ai_agent_mesh.kernel.errors import Fault, Invalid, NotFound
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.telemetry.model import (
    Bucket,
    Figures,
    Kind,
    Slice,
    StoredSpan,
    Usage,
)
from ai_agent_mesh.product.telemetry.rules import checked, filled
from ai_agent_mesh.product.telemetry.store import SpanStore

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
#: A trace with more spans than this is cut, and says so.
MOST_SPANS = 5_000


class TraceMissing(NotFound):
    """There is no trace {trace_id}."""


class UnknownGrouping(Invalid):
    """Usage can be grouped by agent, workflow or day."""


class Tracing(msgspec.Struct, frozen=True):
    """A whole trace, its spans in the order in which they started."""

    trace_id: str
    spans: Sequence[StoredSpan]
    complete: bool


class Telemetry:
    """One tenant's spans, asked about."""

    def __init__(self, tx: Tx) -> None:
        self._spans = SpanStore(tx)

    async def percentiles(self, part: Slice) -> Figures:
        """Return count, errors, tokens, cost and exact percentiles of a slice."""
        checked(part)
        return await self._spans.figures(part)

    async def series(
        self, part: Slice, step: timedelta | None = None
    ) -> tuple[timedelta, list[Bucket]]:
        """Return the step used and the figures of every step, empty ones too."""
        used = checked(part, step)
        return used, filled(part, used, await self._spans.series(part, used))

    async def usage(self, part: Slice, by: str) -> list[Usage]:
        """Return calls, tokens and cost by `agent`, `workflow` or `day`."""
        checked(part)
        if by not in {"agent", "workflow", "day"}:
            raise UnknownGrouping(faults=[Fault("by", "must be agent, workflow or day")])
        counted = part if part.kind else msgspec.structs.replace(part, kind=Kind.AGENT_CALL)
        return await self._spans.usage(counted, by)

    async def trace(self, trace_id: str) -> Tracing:
        """Return every span of one trace.

        Raises:
            TraceMissing: this tenant has no span of it.
        """
        spans = (
            await self._spans.trace(trace_id, MOST_SPANS + 1)
            if _TRACE_ID.fullmatch(trace_id)
            else []
        )
        if not spans:
            raise TraceMissing(trace_id=trace_id[:64])
        return Tracing(trace_id, spans[:MOST_SPANS], len(spans) <= MOST_SPANS)

    async def spans(
        self, part: Slice, before: tuple[datetime, str] | None, limit: int
    ) -> list[StoredSpan]:
        """Return the latest spans of a slice, at most `limit` (those before `before`)."""
        checked(part)
        return await self._spans.page(part, before, limit)
