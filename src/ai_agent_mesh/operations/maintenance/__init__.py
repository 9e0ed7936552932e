"""Planned maintenance kept and announced; what it is and what it excludes stands in `planned`."""

from ai_agent_mesh.operations.maintenance.service import MaintenanceCalendar
from ai_agent_mesh.operations.maintenance.store import numbers, reached, told, touching
from ai_agent_mesh.operations.maintenance.views import MaintenanceView, view

__all__ = [
    "MaintenanceCalendar",
    "MaintenanceView",
    "numbers",
    "reached",
    "told",
    "touching",
    "view",
]
