"""What the operating system knows of processes: who dies with whom, who holds a folder or port."""

from ai_agent_mesh.plumbing.processes.ending import leave_within
from ai_agent_mesh.plumbing.processes.folder_lock import FolderInUse, FolderLock
from ai_agent_mesh.plumbing.processes.lineage import die_with_parent, signal_all, working_in
from ai_agent_mesh.plumbing.processes.listeners import (
    AddressUnusable,
    PortTaken,
    free_port,
    listener,
)

__all__ = [
    "AddressUnusable",
    "FolderInUse",
    "FolderLock",
    "PortTaken",
    "die_with_parent",
    "free_port",
    "leave_within",
    "listener",
    "signal_all",
    "working_in",
]
