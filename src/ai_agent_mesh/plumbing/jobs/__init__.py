"""The jobs kit: durable workflows on DBOS, worker leases, and schedules that fire once."""

from ai_agent_mesh.plumbing.jobs.engine import VERSION, Engine, Segment, enqueue
from ai_agent_mesh.plumbing.jobs.lease import Fenced, Lease, Reaper, forget_leases, pause
from ai_agent_mesh.plumbing.jobs.schedule import Scheduled, Schedules, overdue
from ai_agent_mesh.plumbing.jobs.schema import schema_sql

__all__ = [
    "VERSION",
    "Engine",
    "Fenced",
    "Lease",
    "Reaper",
    "Scheduled",
    "Schedules",
    "Segment",
    "enqueue",
    "forget_leases",
    "overdue",
    "pause",
    "schema_sql",
]
