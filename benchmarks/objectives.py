"""How fast a month of a tenant is judged from the roll-ups, beside counting its rows in SQL."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import asyncpg
from msgspec import structs

from ai_agent_mesh.kernel.clock import Clock, FixedClock
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.objectives import Everybody, Objectives, Standings
from ai_agent_mesh.operations.status import Status
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.postgres import Database, Role, migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer
from ai_agent_mesh.product.identity import Tenants
from ai_agent_mesh.sla import Method
from benchmarks.figures import Figure, percentile

MONTH = Month(2026, 9)
TENANTS = 3
ROUNDS = 100
#: Of what takes long, and of which only the middle is told.
FEW = 15
OTHERS = (Method.ALL_FAIL, Method.INTERVALS, Method.REQUESTS)
TARGET_MS = 50
#: A statement run: so many tenants, each with some calls every four hours; the probe as above.
MANY = 1_000
SOME = 20
RUN_TARGET_S = 60

# Every minute of the month has calls in six categories of the tenant's own and four of the
# probe's; in some of them something failed, and in some the probe said nothing.
_FILL = """
INSERT INTO ledger_minute
SELECT tenant, minute, service, category, 40, 40,
       CASE WHEN extract(epoch FROM minute)::bigint / 60 % 997 = 0 THEN 8 ELSE 0 END,
       40, 39, 40, 40
FROM unnest($1::text[]) AS tenant,
     generate_series($2::timestamptz, $3::timestamptz - interval '1 minute',
                     interval '1 minute') AS minute,
     (VALUES ('api', 'authentication'), ('api', 'agent_crud'), ('api', 'other'),
             ('orchestration', 'workflow_execution'), ('governance', 'policy_evaluation'),
             ('telemetry', 'telemetry_query')) AS route (service, category)
WHERE tenant <> 'probe' OR category NOT IN ('authentication', 'other')
  AND (service <> 'telemetry' OR extract(epoch FROM minute)::bigint / 60 % 5000 <> 7)
"""
_SPARSE = """
INSERT INTO ledger_minute
SELECT tenant, minute, service, category, 9, 9,
       CASE WHEN extract(epoch FROM minute)::bigint / 14400 % 97 = 0 THEN 1 ELSE 0 END, 9, 9, 9, 9
FROM unnest($1::text[]) AS tenant,
     generate_series($2::timestamptz, $3::timestamptz - interval '1 minute',
                     interval '4 hours') AS minute,
     (VALUES ('api', 'agent_crud'), ('orchestration', 'workflow_execution'))
       AS route (service, category)
"""
_PLAIN = """
SELECT service, category, sum(valid), sum(bad), sum(timed), sum(within_p50), sum(within_p95),
       sum(within_p99)
FROM ledger_minute
WHERE tenant_id IN ($1, 'probe') AND minute >= $2 AND minute < $3 GROUP BY 1, 2
"""


async def run(login_url: str, migrate_url: str) -> list[Figure]:
    """Measure on the migrated, empty database behind these addresses."""
    app = await Database.open(login_url, Role.APP)
    operations = await Database.open(login_url, Role.OPERATIONS)
    try:
        async with app.transaction() as tx:
            began = FixedClock(MONTH.since)
            made = [await Tenants(tx, began).create(f"t{n}", "enterprise") for n in range(TENANTS)]
        tenants = [tenant.id for tenant in made]
        rows = await _fill(migrate_url, tenants)
        clock = FixedClock(MONTH.until + timedelta(days=3))
        objectives = Objectives(operations, default(), clock)
        whole = await _times_ms(lambda: objectives.statement(tenants[0], MONTH))
        run = await _run_of_all(app, operations, migrate_url, objectives)
        others = [await _by(method, operations, clock, tenants[0]) for method in OTHERS]
        plain = await _times_ms(lambda: _plain(operations, tenants[0]), FEW)
        status = await _times_ms(lambda: Status(operations, default(), clock).overview())
        last = (operations, default(), FixedClock(MONTH.until - timedelta(minutes=1)))
        told = await _times_ms(lambda: Standings(*last).slos(tenants[0]))
        drawn = await _times_ms(lambda: Standings(*last).standing(tenants[0]))
        public = await _times_ms(lambda: Everybody(*last).standing(), FEW)
    finally:
        await app.close()
        await operations.close()
    yardstick = f"plain SUM over the same minutes: {percentile(plain, 0.5):.0f} ms"
    ratio = f"{percentile(whole, 0.5) / percentile(plain, 0.5):.2f}"
    return [
        Figure(
            f"statement of a month, {rows:,} roll-up rows a tenant and probe",
            f"p50 {percentile(whole, 0.5):.1f} ms, p99 {percentile(whole, 0.99):.1f} ms",
            f"< {TARGET_MS} ms",
            yardstick,
            ratio,
        ),
        run,
        *others,
        Figure("status page's 90 days, nothing kept", f"p50 {percentile(status, 0.5):.1f} ms"),
        Figure(
            "objectives of a month, how each budget went, and burn over 3 days",
            f"p50 {percentile(drawn, 0.5):.1f} ms, p99 {percentile(drawn, 0.99):.1f} ms",
            f"< {TARGET_MS} ms",
        ),
        Figure(
            "objectives of a month and burn over 3 days, as `mesh slo` tells them",
            f"p50 {percentile(told, 0.5):.1f} ms, p99 {percentile(told, 0.99):.1f} ms",
            f"< {TARGET_MS} ms",
        ),
        Figure(
            "the objectives page of everybody, nothing kept",
            f"p50 {percentile(public, 0.5):.1f} ms",
        ),
    ]


async def _run_of_all(
    app: Database, operations: Database, migrate_url: str, objectives: Objectives
) -> Figure:
    """Measure the statements of many tenants, one after the other, beside plain sums of some."""
    async with app.transaction() as tx:
        makes = Tenants(tx, FixedClock(MONTH.since))
        made = [(await makes.create(f"many{n}", "enterprise")).id for n in range(MANY)]
    link = await asyncpg.connect(migrate_url)
    await link.execute("SET ROLE mesh_ledger")
    await link.execute(_SPARSE, made, MONTH.since, MONTH.until)
    await link.execute("RESET ROLE")
    await link.execute("VACUUM ANALYZE")
    await link.close()
    began = perf_counter()
    for tenant in made:
        await objectives.statement(tenant, MONTH)
    took = perf_counter() - began
    began = perf_counter()
    for tenant in made[:SOME]:
        await _plain(operations, tenant)
    plain = (perf_counter() - began) / SOME * MANY
    return Figure(
        f"statements of a month for {MANY:,} tenants",
        f"{took:.1f} s",
        f"< {RUN_TARGET_S} s",
        f"plain SUM over the same minutes, {SOME} measured: {plain:.1f} s for all",
        f"{took / plain:.2f}",
    )


async def _by(method: Method, operations: Database, clock: Clock, tenant: str) -> Figure:
    """Measure the same statement by another method."""
    tier = structs.replace(default().tiers["enterprise"], method=method)
    playbook = structs.replace(default(), tiers={**default().tiers, "enterprise": tier})
    objectives = Objectives(operations, playbook, clock)
    times = await _times_ms(lambda: objectives.statement(tenant, MONTH))
    what = f"p50 {percentile(times, 0.5):.1f} ms, p99 {percentile(times, 0.99):.1f} ms"
    return Figure(f"statement of a month by {method.value}", what, f"< {TARGET_MS} ms")


async def _fill(migrate_url: str, tenants: list[str]) -> int:
    link = await asyncpg.connect(migrate_url)
    await link.execute("SET ROLE mesh_ledger")
    await link.execute(_FILL, [*tenants, "probe"], MONTH.since, MONTH.until)
    await link.execute("RESET ROLE")
    await link.execute("VACUUM ANALYZE")
    count = "SELECT count(*) FROM ledger_minute WHERE tenant_id IN ($1, 'probe')"
    await link.execute("SET ROLE mesh_operations")
    rows = int(await link.fetchval(count, tenants[0]))
    await link.close()
    return rows


async def _plain(operations: Database, tenant: str) -> object:
    async with operations.transaction() as tx:
        return await tx.fetch(_PLAIN, tenant, MONTH.since, MONTH.until)


async def _times_ms(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    times = []
    for _ in range(rounds):
        began = perf_counter()
        await work()
        times.append((perf_counter() - began) * 1000)
    return times


async def main() -> None:
    """Measure on a fresh embedded server and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chmod(folder, 0o711)  # noqa: PTH101, S103 - the server's account must get through
        server = EmbeddedServer(folder / "postgres")
        urls = await server.start()
        try:
            await migrate(urls.migrate, "mesh_login")
            for one in await run(urls.login, urls.migrate):
                print(f"{one.what:60} {one.measured}  {one.target}  {one.yardstick}  {one.ratio}")
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
