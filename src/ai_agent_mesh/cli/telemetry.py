"""`mesh telemetry`: what a tenant's agents, workflows and decisions took and cost."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Json, Tenant, speak, table, tenant_named, with_mesh

if TYPE_CHECKING:
    from ai_agent_mesh.plumbing.postgres import Tx
    from ai_agent_mesh.product.telemetry import (
        Bucket,
        Figures,
        Slice,
        StoredSpan,
        Telemetry,
        Usage,
    )
    from ai_agent_mesh.wiring import Mesh

app = typer.Typer(help="Usage, series, percentiles, traces.", no_args_is_help=True)

Since = Annotated[
    datetime | None, typer.Option(help="From this moment in UTC (default: a day before --until).")
]
Until = Annotated[datetime | None, typer.Option(help="Up to this moment in UTC (default: now).")]
Agent = Annotated[str | None, typer.Option("--agent", help="One agent's id.")]
Workflow = Annotated[str | None, typer.Option("--workflow", help="One workflow's name.")]
KindOf = Annotated[
    str | None, typer.Option("--kind", help="run, task, agent_call or policy_decision.")
]


@app.command()
def usage(
    tenant: Tenant,
    by: Annotated[str, typer.Option(help="agent, workflow or day.")] = "agent",
    since: Since = None,
    until: Until = None,
    agent: Agent = None,
    workflow: Workflow = None,
    json: Json = False,
) -> None:
    """Show calls, tokens and cost by agent, workflow or day."""
    part = _slice(since, until, None, agent, workflow)

    async def work(mesh: "Mesh") -> "list[Usage]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _telemetry(tx).usage(part, by)

    found = with_mesh(work)
    heads = (by, "calls", "errors", "tokens in", "tokens out", "cost")
    rows = [
        (u.key or "-", u.calls, u.errors, u.input_tokens, u.output_tokens, u.cost) for u in found
    ]
    speak(found, as_json=json, text=lambda: table(heads, rows))


@app.command()
def series(
    tenant: Tenant,
    since: Since = None,
    until: Until = None,
    kind: KindOf = None,
    agent: Agent = None,
    workflow: Workflow = None,
    step: Annotated[
        int | None, typer.Option(help="Seconds a step (default: one that fits).")
    ] = None,
    json: Json = False,
) -> None:
    """Show counts, errors, tokens, cost and percentiles over time."""
    part = _slice(since, until, kind, agent, workflow)
    wanted = None if step is None else timedelta(seconds=step)

    async def work(mesh: "Mesh") -> "list[Bucket]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            _, found = await _telemetry(tx).series(part, wanted)
            return found

    found = with_mesh(work)
    rows = [(f"{each.since:%F %T}", *_cells(each)) for each in found if each.count]
    speak(found, as_json=json, text=lambda: table(("since", *_HEADS), rows))


@app.command()
def percentiles(
    tenant: Tenant,
    since: Since = None,
    until: Until = None,
    kind: KindOf = None,
    agent: Agent = None,
    workflow: Workflow = None,
    json: Json = False,
) -> None:
    """Show the figures of a range as a whole."""
    part = _slice(since, until, kind, agent, workflow)

    async def work(mesh: "Mesh") -> "Figures":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return await _telemetry(tx).percentiles(part)

    found = with_mesh(work)
    speak(found, as_json=json, text=lambda: table(_HEADS, [_cells(found)]))


@app.command()
def trace(
    trace_id: Annotated[str, typer.Argument(help="The trace's id, 32 hex digits.")],
    tenant: Tenant,
    json: Json = False,
) -> None:
    """Show every span of a trace, each under the one that caused it."""

    async def work(mesh: "Mesh") -> "list[StoredSpan]":
        async with mesh.app.tenant(await tenant_named(mesh, tenant)) as tx:
            return list((await _telemetry(tx).trace(trace_id)).spans)

    found = with_mesh(work)
    speak(found, as_json=json, text=lambda: "\n".join(_tree(found)))


_HEADS = ("count", "errors", "tokens in", "tokens out", "cost", "p50 ms", "p95 ms", "p99 ms")


def _cells(each: "Figures") -> tuple[object, ...]:
    times = ("-" if us is None else f"{us / 1000:.1f}" for us in _percentiles(each))
    return (each.count, each.errors, each.input_tokens, each.output_tokens, each.cost, *times)


def _percentiles(each: "Figures") -> tuple[int | None, ...]:
    return (each.p50_us, each.p95_us, each.p99_us)


def _tree(spans: "list[StoredSpan]") -> list[str]:
    """Indent each span below the one that caused it, as far as that one is known."""
    parents = {span.span_id: span.parent_id for span in spans}

    def depth(span_id: str | None) -> int:
        seen: set[str] = set()
        while span_id in parents and span_id not in seen:
            seen.add(span_id)
            span_id = parents[span_id]
        return len(seen) - 1

    return [
        f"{'  ' * depth(span.span_id)}{span.name}  {span.duration_us / 1000:.1f} ms"
        + (f"  {span.error_type}" if span.error_type else "")
        for span in spans
    ]


def _telemetry(tx: "Tx") -> "Telemetry":
    from ai_agent_mesh.product.telemetry import Telemetry

    return Telemetry(tx)


def _slice(
    since: datetime | None,
    until: datetime | None,
    kind: str | None,
    agent: str | None,
    workflow: str | None,
) -> "Slice":
    from ai_agent_mesh.product.telemetry import Kind, Slice

    if kind is not None and kind not in set(Kind):
        raise typer.BadParameter(f"--kind is one of {', '.join(Kind)}")
    end = datetime.now(UTC) if until is None else _utc(until)
    begin = end - timedelta(days=1) if since is None else _utc(since)
    return Slice(begin, end, Kind(kind) if kind else None, agent, workflow)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
