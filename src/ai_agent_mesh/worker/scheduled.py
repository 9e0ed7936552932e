"""What workers do now and then, and how often."""

from datetime import datetime, timedelta

from ai_agent_mesh.operations.credits import Credits
from ai_agent_mesh.operations.objectives import forget_minutes
from ai_agent_mesh.operations.probe import forget as forget_tries
from ai_agent_mesh.plumbing.jobs import Engine, Scheduled, forget_leases
from ai_agent_mesh.wiring import Mesh

#: How often due health checks are looked for; each agent has its own due time.
HEALTH_EVERY = timedelta(seconds=5)
#: How often due deliveries are looked for; each delivery has its own due time.
DELIVER_EVERY = timedelta(seconds=2)
FORGET_EVERY = timedelta(minutes=1)
#: A month that is over is closed within this time.
CLOSE_EVERY = timedelta(hours=1)
#: How long the queue remembers a segment that is done, and the probe's runs are kept: for whoever
#: looks into a trouble. The evidence of both is in the ledger.
DONE_KEPT = timedelta(days=1)
#: The platform's minutes are read by alerts, whose windows a playbook bounds at 28 days, and of the
#: running month.
MINUTES_KEPT = timedelta(days=31)
#: So many segments are dropped in one transaction.
AT_ONCE = 1_000


def jobs_of(mesh: Mesh, engine: Engine) -> tuple[Scheduled, ...]:
    """Return the scheduled jobs over a wired mesh."""

    async def forget(now: datetime) -> None:
        while await engine.forget(now - DONE_KEPT, AT_ONCE) == AT_ONCE:
            pass
        await forget_leases(mesh.app, now - DONE_KEPT)
        await forget_tries(mesh.app, now - DONE_KEPT)
        await forget_minutes(mesh.ledger, now - MINUTES_KEPT)

    closer = Credits(mesh.app, mesh.operations, mesh.playbook, mesh.clock)
    return (
        Scheduled("agents.health", HEALTH_EVERY, mesh.health.run),
        Scheduled("notices.deliver", DELIVER_EVERY, mesh.deliveries.run),
        Scheduled("jobs.forget", FORGET_EVERY, forget),
        Scheduled("alerts.evaluate", mesh.playbook.alerting.evaluated_every, mesh.alerts.evaluate),
        Scheduled("credits.close", CLOSE_EVERY, closer.close_due),
    )
