"""One process at a time in a folder: a kernel lock that no crash can leave behind."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ai_agent_mesh.kernel.errors import Conflict


class FolderInUse(Conflict):
    "The folder {folder} is in use by process {pid}: stop that first, or name another folder."


class FolderLock:
    """Hold `folder` for this process until `release()`, or until the process is gone.

    The file stays when the lock is let go; only the kernel's lock on it counts, so a file left by
    a killed process is never in the way. The file names the holder for a person who looks.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._handle: int | None = None

    def acquire(self) -> Self:
        """Take the lock, or raise `FolderInUse` with the holder's process id."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.folder / "lock", flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise FolderInUse(folder=self.folder, pid=pid) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return self

    def release(self) -> None:
        """Let the folder go; nothing happens when it is not held."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
