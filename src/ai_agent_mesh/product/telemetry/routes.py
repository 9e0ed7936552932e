"""Telemetry over HTTP: series, percentiles, usage, spans and whole traces."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter, SkipValidation

from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged
from ai_agent_mesh.product.telemetry.model import Bucket, Figures, Kind, Slice, StoredSpan, Usage
from ai_agent_mesh.product.telemetry.ports import Wiring
from ai_agent_mesh.product.telemetry.rules import place_after, place_of
from ai_agent_mesh.product.telemetry.service import Telemetry, Tracing

Wired = NamedDependency[SkipValidation[Wiring]]

Since = Annotated[datetime | None, QueryParameter(description="Default: a day before until")]
Until = Annotated[datetime | None, QueryParameter(description="Left out itself; default: now")]
By = Annotated[str, QueryParameter(description="agent, workflow or day")]
Step = Annotated[int | None, QueryParameter(description="Seconds a bucket; chosen if left out")]
Among = FromQuery[Kind | None]
Named = FromQuery[str | None]


class Series(msgspec.Struct, frozen=True):
    """Figures step by step, empty steps included; the last one may reach beyond the range."""

    step_s: int
    items: Sequence[Bucket]


class Used(msgspec.Struct, frozen=True):
    """What agents, workflows or days used."""

    by: str
    items: Sequence[Usage]


@get("/v1/telemetry/series", summary="Read counts, tokens, cost and percentiles over time")
async def series(
    unit: Work, mesh: Wired, since: Since = None, until: Until = None, kind: Among = None,
    agent_id: Named = None, workflow: Named = None, step_s: Step = None,
) -> Series:  # fmt: skip
    """Return the figures of each step of the range."""
    part = _slice(mesh, since, until, kind, agent_id, workflow)
    step = None if step_s is None else timedelta(seconds=min(max(step_s, 0), 10**9))
    used, found = await Telemetry(await unit.begin()).series(part, step)
    return Series(int(used.total_seconds()), found)


@get("/v1/telemetry/percentiles", summary="Read the figures of a range as a whole")
async def percentiles(
    unit: Work, mesh: Wired, since: Since = None, until: Until = None, kind: Among = None,
    agent_id: Named = None, workflow: Named = None,
) -> Figures:  # fmt: skip
    """Return count, errors, tokens, cost and exact percentiles of the duration."""
    part = _slice(mesh, since, until, kind, agent_id, workflow)
    return await Telemetry(await unit.begin()).percentiles(part)


@get("/v1/telemetry/usage", summary="Read calls, tokens and cost by agent, workflow or day")
async def usage(
    unit: Work, mesh: Wired, since: Since = None, until: Until = None, by: By = "agent",
    agent_id: Named = None, workflow: Named = None,
) -> Used:  # fmt: skip
    """Return what was used in the range; agent calls are counted."""
    part = _slice(mesh, since, until, None, agent_id, workflow)
    return Used(by, await Telemetry(await unit.begin()).usage(part, by))


@get("/v1/telemetry/spans", summary="List spans, the latest first")
async def spans(  # noqa: PLR0913, PLR0917 - a query has as many aspects as it has
    unit: Work, mesh: Wired, since: Since = None, until: Until = None, kind: Among = None,
    agent_id: Named = None, workflow: Named = None, limit: Limit = None,
    cursor: Cursor = None,
) -> Paged[StoredSpan]:  # fmt: skip
    """Return a page of the range's spans."""
    page = page_of(limit, cursor)
    part = _slice(mesh, since, until, kind, agent_id, workflow)
    before = None if page.after is None else place_after(page.after)
    found = await Telemetry(await unit.begin()).spans(part, before, page.limit + 1)
    return paged(found, page, place_of)


@get("/v1/telemetry/traces/{trace_id:str}", summary="Read a whole trace")
async def trace(unit: Work, trace_id: FromPath[str]) -> Tracing:
    """Return every span of a trace in the order in which they started."""
    return await Telemetry(await unit.begin()).trace(trace_id)


def _slice(
    mesh: Wired, since: datetime | None, until: datetime | None, kind: Kind | None,
    agent_id: str | None, workflow: str | None,
) -> Slice:  # fmt: skip
    end = until or mesh.clock.now()
    return Slice(since or end - timedelta(days=1), end, kind, agent_id, workflow)
