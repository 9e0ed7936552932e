"""What workers do now and then, and how often."""

from datetime import timedelta

from ai_agent_mesh.plumbing.jobs import Scheduled
from ai_agent_mesh.wiring import Mesh

#: How often due health checks are looked for; each agent has its own due time.
HEALTH_EVERY = timedelta(seconds=5)


def jobs_of(mesh: Mesh) -> tuple[Scheduled, ...]:
    """Return the scheduled jobs over a wired mesh."""
    return (Scheduled("agents.health", HEALTH_EVERY, mesh.health.run),)
