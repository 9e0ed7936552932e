"""Knows whether another process of the same kind works on the same database."""

import asyncio

import asyncpg

from ai_agent_mesh.plumbing.postgres.absence import AWAY, absence
from ai_agent_mesh.plumbing.postgres.database import Role

# Any 32-bit number that no other lock in the database has.
_API = 0x6D61_7069

# A shared lock of the session is gone with its process, however that ends.
_ENTER = "SELECT pg_advisory_lock_shared($1)"
_OTHERS = """
SELECT count(*) > 1 FROM pg_locks
WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Presence:
    """Stands for this process at the database, as long as it lives."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: asyncpg.Connection[asyncpg.Record] | None = None

    async def alone(self) -> bool:
        """Tell whether no other API process is there; this one is from now on.

        Raises:
            DatabaseAway: nobody can be seen now.
        """
        try:
            async with asyncio.timeout(5):
                if self._link is None or self._link.is_closed():
                    self._link = await asyncpg.connect(
                        self._url,
                        server_settings={"role": Role.APP.value, "application_name": "mesh_api"},
                    )
                    await self._link.fetchval(_ENTER, _API)
                return not await self._link.fetchval(_OTHERS, _API)
        except AWAY as error:
            await self.close()
            raise absence(error) from error

    async def close(self) -> None:
        """Leave."""
        link, self._link = self._link, None
        if link is not None:
            link.terminate()
