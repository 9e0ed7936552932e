"""Who listens on a port of this machine, as far as the caller may know."""

import errno
import socket
from contextlib import closing, suppress
from pathlib import Path

from ai_agent_mesh.kernel.errors import Conflict, Invalid

_LISTEN = "0A"  # the state's number in /proc/net/tcp


class PortTaken(Conflict):
    "Port {port} is taken by {holder}: stop that, or choose another with --port."


class AddressUnusable(Invalid):
    "Cannot listen on {host} port {port}: {reason}."


def free_port(host: str, port: int) -> int:
    """Return `port` when `host` can listen on it now, or any free one for port 0.

    Raises `PortTaken` with who holds it, or `AddressUnusable` with the reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with closing(socket.socket(family, kind, protocol)) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
            door.listen()
            return int(door.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port=port, holder=listener(port) or "another process") from None
        raise AddressUnusable(host=host, port=port, reason=error.strerror or error) from None


def listener(port: int) -> str | None:
    """Return the name and process id of what listens on `port`; None where that stays hidden."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        with suppress(OSError):
            if any(str(handle.readlink()) in wanted for handle in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                return f"{name} (process {process.name})"
    return None


def _inodes(port: int) -> list[str]:
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                field = line.split()
                if field[3] == _LISTEN and int(field[1].rpartition(":")[2], 16) == port:
                    found.append(field[9])
    return found
