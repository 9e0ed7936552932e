"""The database kit: pools by role, tenant transactions, migrations."""

from ai_agent_mesh.plumbing.postgres.database import Database, DatabaseAway, Role, Tx
from ai_agent_mesh.plumbing.postgres.migrate import (
    MigrationFailed,
    current_revision,
    head_revision,
    migrate,
)

__all__ = [
    "Database",
    "DatabaseAway",
    "MigrationFailed",
    "Role",
    "Tx",
    "current_revision",
    "head_revision",
    "migrate",
]
