"""Announced maintenance is left out by both evaluators alike, by the same rules."""

import subprocess
from pathlib import Path

import asyncpg
from tests.conftest import Databases, needs
from tests.contract.alerts import planned, prometheus
from tests.contract.alerts.planned import SCRAPE, Scenario
from tests.contract.alerts.scenarios import EPOCH, MINUTE

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.alerts import Alerts, AlertStore, Surroundings
from ai_agent_mesh.operations.maintenance.store import MaintenanceStore
from ai_agent_mesh.operations.planned import Proof
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity import PLATFORM_TENANT

SCENARIOS = {scenario.name: scenario for scenario in planned.scenarios()}
#: The objectives that the scenarios are about.
LOOKED_AT = frozenset({"api-availability", "governance-availability", "platform-availability"})
#: So many looks before the end are enough for a level that must last.
LOOKS = 4


def about_availability(rules: set[str]) -> set[str]:
    return {rule for rule in rules if rule.endswith(("-availability", "/api_error_rate"))}


async def test_the_embedded_evaluator_leaves_out_what_was_announced(
    databases: Databases, tmp_path: Path
) -> None:
    found = {name: await embedded(one, databases, tmp_path) for name, one in SCENARIOS.items()}
    assert found == {name: one.fires for name, one in SCENARIOS.items()}


async def embedded(scenario: Scenario, databases: Databases, folder: Path) -> set[str]:
    """Evaluate the last minutes of a scenario; return what fires at its end."""
    await lay_down(scenario, databases)
    alerts = Alerts(
        databases.app, databases.operations, scenario.playbook, FixedClock(EPOCH), version="1",
        surroundings=Surroundings(folder, folder / "restarts.json"),
    )  # fmt: skip
    for minute in range(scenario.minutes - LOOKS, scenario.minutes + 1):
        await call_off(scenario, minute, databases)
        await alerts.evaluate(EPOCH + minute * MINUTE + SCRAPE)
    async with databases.app.tenant(PLATFORM_TENANT) as tx:
        fired = {rule for rule, alert in (await AlertStore(tx).open()).items() if alert.fired_at}
    return about_availability(fired)


async def lay_down(scenario: Scenario, databases: Databases) -> None:
    """Put a scenario's minutes, and what was announced before them, in the place of another's."""
    sequencer = await asyncpg.connect(databases.migrate_url)
    await sequencer.execute(
        "TRUNCATE ledger_minute, platform_minute, objective_day, alert,"
        " maintenance, maintenance_act"
    )
    await sequencer.copy_records_to_table("ledger_minute", records=planned.minutes(scenario))
    await sequencer.close()
    async with databases.app.tenant(PLATFORM_TENANT) as tx:
        for work in scenario.works(-1):
            await MaintenanceStore(tx).insert(work, "usr_ops")
            await follow(tx, work.announced)


async def call_off(scenario: Scenario, minute: int, databases: Databases) -> None:
    async with databases.app.tenant(PLATFORM_TENANT) as tx:
        for work in scenario.works(minute):
            if work.cancelled and await MaintenanceStore(tx).cancel(
                work.id, work.cancelled, "usr_ops"
            ):
                await follow(tx, work.cancelled)


async def follow(tx: Tx, proof: Proof) -> None:
    """Let an act have its place among those before it."""
    link, _ = await MaintenanceStore(tx).last()
    await MaintenanceStore(tx).follow(link.followed(bytes(32)), proof)


def test_prometheus_leaves_out_what_was_announced(tmp_path: Path) -> None:
    promtool, files = needs("promtool"), []
    for book in {scenario.playbook.digest: scenario.playbook for scenario in SCENARIOS.values()}:
        some = [scenario for scenario in SCENARIOS.values() if scenario.playbook.digest == book]
        rules = tmp_path / f"{book}.rules.yaml"
        rules.write_text(prometheus.rule_file(some[0].playbook, LOOKED_AT))
        files.append(tmp_path / f"{book}.test.yaml")
        files[-1].write_text(
            prometheus.unit_test(str(rules), some[0].playbook, [group(one) for one in some])
        )
    done = subprocess.run(
        [promtool, "test", "rules", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def group(scenario: Scenario) -> dict[str, object]:
    """Return one scenario as a group of promtool's."""
    which = 'alertname=~"ErrorBudgetBurn|ApiErrorRate", alertstate="firing"'
    return {
        "name": scenario.name,
        "interval": "15s",
        "input_series": planned.series(scenario),
        "promql_expr_test": [
            {
                "expr": f"max by (alertname, severity, sloth_slo) (ALERTS{{{which}}})",
                "eval_time": f"{scenario.minutes}m",
                "exp_samples": [
                    {"labels": labels(rule), "value": 1} for rule in sorted(scenario.fires)
                ],
            }
        ],
    }


def labels(rule: str) -> str:
    severity, _, objective = rule.partition("/burn/")
    name = "ErrorBudgetBurn" if objective else "ApiErrorRate"
    severity = severity.removesuffix("/api_error_rate")
    about = objective or "platform-availability"
    return f'{{alertname="{name}", severity="{severity}", sloth_slo="{about}"}}'
