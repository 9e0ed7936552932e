"""The database kit: pools by role, tenant transactions, migrations."""

from ai_agent_mesh.plumbing.postgres.absence import AWAY, DatabaseAway, OutcomeUnknown
from ai_agent_mesh.plumbing.postgres.database import Database, Role
from ai_agent_mesh.plumbing.postgres.migrate import (
    MigrationFailed,
    SchemaNewer,
    current_revision,
    head_revision,
    migrate,
)
from ai_agent_mesh.plumbing.postgres.presence import Presence
from ai_agent_mesh.plumbing.postgres.snapshot import snapshot
from ai_agent_mesh.plumbing.postgres.tx import Tx, Unstorable

__all__ = [
    "AWAY",
    "Database",
    "DatabaseAway",
    "MigrationFailed",
    "OutcomeUnknown",
    "Presence",
    "Role",
    "SchemaNewer",
    "Tx",
    "Unstorable",
    "current_revision",
    "head_revision",
    "migrate",
    "snapshot",
]
