"""A PostgreSQL of our own, kept in one folder and reached over its socket only."""

from ai_agent_mesh.plumbing.postgres.embedded.account import NoAccount
from ai_agent_mesh.plumbing.postgres.embedded.binaries import NoBinaries, embedded_version
from ai_agent_mesh.plumbing.postgres.embedded.cluster import Urls
from ai_agent_mesh.plumbing.postgres.embedded.place import FolderUnusable
from ai_agent_mesh.plumbing.postgres.embedded.server import (
    EmbeddedServer,
    ServerFailed,
    discard,
    find_running,
)

__all__ = [
    "EmbeddedServer",
    "FolderUnusable",
    "NoAccount",
    "NoBinaries",
    "ServerFailed",
    "Urls",
    "discard",
    "embedded_version",
    "find_running",
]
