"""What the operating system knows of our processes: who dies with whom, who holds a folder."""

from ai_agent_mesh.plumbing.processes.folder_lock import FolderInUse, FolderLock
from ai_agent_mesh.plumbing.processes.lineage import die_with_parent, signal_all, working_in

__all__ = ["FolderInUse", "FolderLock", "die_with_parent", "signal_all", "working_in"]
