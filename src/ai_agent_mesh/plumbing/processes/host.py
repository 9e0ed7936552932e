"""How full the machine is: its disk, and the memory that this process may have."""

import shutil
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def disk(folder: Path) -> tuple[int, int]:
    """Return the bytes in use and all bytes of the disk that a folder lies on.

    What only root may still fill counts as used: a database that is not root cannot have it.
    """
    found = shutil.disk_usage(folder)
    return found.total - found.free, found.total


def memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> tuple[int, int] | None:
    """Return the bytes in use and all bytes: of the container where it has a limit, else of the
    machine. None where neither can be read.

    What the kernel gives back when it is needed (cached files) is not in use.
    """
    try:
        return _of_container(cgroup) or _of_machine(meminfo)
    except (OSError, ValueError, KeyError):
        return None


def _of_container(cgroup: Path) -> tuple[int, int] | None:
    try:
        limit = (cgroup / "memory.max").read_text().strip()
    except OSError:
        return None
    if limit == "max":
        return None
    kept = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    current = int((cgroup / "memory.current").read_text())
    return max(0, current - int(kept["inactive_file"])), int(limit)


def _of_machine(meminfo: Path) -> tuple[int, int]:
    lines = (line.split(":") for line in meminfo.read_text().splitlines())
    figures = {name: int(rest.split()[0]) * 1024 for name, rest in lines}
    return figures["MemTotal"] - figures["MemAvailable"], figures["MemTotal"]
