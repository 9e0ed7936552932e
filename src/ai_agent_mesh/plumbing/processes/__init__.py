"""What the operating system knows: who dies with whom, who holds a folder or port, what is full."""

from ai_agent_mesh.plumbing.processes.ending import leave_within
from ai_agent_mesh.plumbing.processes.folder_lock import FolderInUse, FolderLock
from ai_agent_mesh.plumbing.processes.host import disk, memory
from ai_agent_mesh.plumbing.processes.lineage import die_with_parent, signal_all, working_in
from ai_agent_mesh.plumbing.processes.listeners import (
    AddressUnusable,
    PortTaken,
    free_port,
    listener,
)
from ai_agent_mesh.plumbing.processes.restarts import (
    Restarts,
    begin_restarts,
    note_restart,
    read_restarts,
)

__all__ = [
    "AddressUnusable",
    "FolderInUse",
    "FolderLock",
    "PortTaken",
    "Restarts",
    "begin_restarts",
    "die_with_parent",
    "disk",
    "free_port",
    "leave_within",
    "listener",
    "memory",
    "note_restart",
    "read_restarts",
    "signal_all",
    "working_in",
]
