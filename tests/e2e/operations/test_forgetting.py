"""What the probe leaves behind does not grow for ever, and nobody else loses anything by it."""

from datetime import UTC, datetime, timedelta

from tests.conftest import Databases

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.probe import forget
from ai_agent_mesh.plumbing.observe import Trace
from ai_agent_mesh.product.orchestration import runs_by_state
from ai_agent_mesh.product.telemetry import Kind, Recorder, SpanRecord

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
_RUN = """
INSERT INTO run (id, workflow_id, workflow, version, state, input, actor, role, tier, trace_id,
                 span_id, created_at, ended_at)
VALUES ($1, $2, 'w', '1', $3, '{}', 'usr_a', 'owner', 'enterprise', 't', 's', $4, $5)
"""


async def _leave(databases: Databases, tenant: str) -> None:
    """Leave a run and a span of long ago, the same of a moment ago, and an old run under way."""
    workflow, trace = new_id("wfl"), Trace.begin()
    async with databases.app.tenant(tenant) as tx:
        await tx.execute(
            "INSERT INTO workflow (id, name, version, namespace, definition, source, digest,"
            " created_at, created_by) VALUES ($1, 'w', '1', 'n', '{}', '', '', $2, 'usr_a')",
            workflow, NOW,
        )  # fmt: skip
        for moment in (NOW - 2 * DAY, NOW):
            await tx.execute(_RUN, new_id("run"), workflow, "completed", moment, moment)
            await Recorder(tx).record(
                SpanRecord(
                    trace_id=trace.trace_id,
                    span_id=trace.span_id,
                    name="decide",
                    kind=Kind.POLICY_DECISION,
                    started_at=moment,
                    duration_us=1,
                )
            )
        await tx.execute(_RUN, new_id("run"), workflow, "waiting", NOW - 2 * DAY, None)


async def _left(databases: Databases, tenant: str) -> tuple[int, int]:
    async with databases.app.tenant(tenant) as tx:
        runs = await tx.fetchval("SELECT count(*) FROM run")
        return runs, await tx.fetchval("SELECT count(*) FROM span")


async def test_what_the_probe_did_is_dropped_when_nobody_asks_any_more(
    databases: Databases,
) -> None:
    for tenant in ("probe", "tnt_a"):
        await _leave(databases, tenant)
    assert await forget(databases.app, NOW - DAY) == 1
    assert await _left(databases, "probe") == (2, 1)
    assert await _left(databases, "tnt_a") == (3, 2)
    assert await forget(databases.app, NOW - DAY) == 0


async def test_the_metrics_count_what_is_under_way_and_not_what_ever_was(
    databases: Databases,
) -> None:
    await _leave(databases, "tnt_a")
    async with databases.operations.transaction() as tx:
        assert await runs_by_state(tx) == {"waiting": 1}
        await tx.execute("SET LOCAL enable_seqscan = off")
        plan = await tx.fetch(
            "EXPLAIN SELECT state, count(*) FROM run"
            " WHERE state IN ('pending', 'running', 'waiting') GROUP BY state"
        )
    assert "run_under_way" in "\n".join(row[0] for row in plan)
