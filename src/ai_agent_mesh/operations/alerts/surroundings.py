"""What a process knows of the machine and the database that it runs on."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from ai_agent_mesh.operations.alerts.store import connections
from ai_agent_mesh.playbook import Signal
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.plumbing.processes import Restarts, disk, memory, read_restarts


class Surroundings:
    """The data folder's disk, this machine's memory, the database's connections, restarts."""

    def __init__(self, data: Path, restarts: Path) -> None:
        self._data = data
        self._restarts = restarts

    async def used(self, tx: Tx) -> dict[str, tuple[int, int]]:
        """Return how much is used of how much, by signal; what cannot be known is absent.

        `tx` is of the operations role.
        """
        return {Signal.DATABASE_CONNECTIONS.value: await connections(tx), **self.machine()}

    def machine(self) -> dict[str, tuple[int, int]]:
        """Return the part of it that no database is asked for."""
        found = {Signal.DISK_USAGE.value: disk(self._data)}
        kept = memory()
        return found | ({Signal.MEMORY_USAGE.value: kept} if kept else {})

    async def shares(self, tx: Tx) -> Mapping[Signal, Fraction]:
        """Return the same as shares in use."""
        used = await self.used(tx)
        return {
            Signal(name): Fraction(part, whole) for name, (part, whole) in used.items() if whole
        }

    def restarts(self) -> Mapping[str, Restarts]:
        """Return the restarts of supervised processes, by name."""
        return read_restarts(self._restarts)

    def restarted(self, since: datetime) -> list[int]:
        """Return how often each supervised process was started again since a moment."""
        return [one.since(since) for one in self.restarts().values()]
