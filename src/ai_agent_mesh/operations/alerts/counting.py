"""What a process counts its calls by: the promises of the month, and announced maintenance."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.agreements import Agreements, AgreementUnreadable
from ai_agent_mesh.operations.alerts.definition import latency_levels, objectives
from ai_agent_mesh.operations.alerts.excluding import planned_exclusions
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.plumbing.postgres import Tx


def metrics_of(playbook: Playbook, version: str) -> Metrics:
    """Return the metrics of a process that runs under a playbook, before it has looked ahead."""
    metrics = Metrics(_latency(playbook), levels=latency_levels(playbook), version=version)
    metrics.objectives(_goals(playbook))
    return metrics


async def look_ahead(tx: Tx, metrics: Metrics, playbook: Playbook, now: datetime) -> None:
    """Let a process count by what this month and the next are judged by, and maintenance apart.

    `playbook` is the one that it runs under. `tx` is of the operations role. Where a month's own
    cannot be read, what was known before still holds: that is told at the start.
    """
    month = Month.of(now)
    with suppress(AgreementUnreadable):
        metrics.exclude(await planned_exclusions(tx, playbook, now))
        agreements = Agreements(tx, playbook)
        this, following = await agreements.of(month), await agreements.of(month.next())
        metrics.promise(_latency(this), month.until, _latency(following))
        metrics.objectives(_goals(this))


def _latency(playbook: Playbook) -> Mapping[str, tuple[timedelta, ...]]:
    return {name: (goal.p50, goal.p95, goal.p99) for name, goal in playbook.latency.items()}


def _goals(playbook: Playbook) -> Mapping[str, float]:
    return {one.name: float(one.goal) for one in objectives(playbook)}
