"""Where requests are counted: exact sliding windows in memory, in Redis or in PostgreSQL.

An exact window keeps the moment of each request: never more than the limit in any span of its
length, which a counter of two fixed windows cannot promise.
"""

import time
from datetime import timedelta
from typing import Protocol

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from ai_agent_mesh.plumbing.postgres import Database

#: Allowed, how many are left, seconds until the oldest counted request leaves the window.
Standing = tuple[bool, int, float]

# A Redis that does not answer within this is treated as away: the request must not wait for it.
_REDIS_PATIENCE_S = 0.25


class Window(Protocol):
    """Counts requests under a key."""

    async def take(self, key: str, limit: int, length: timedelta) -> Standing:
        """Count one request if the window has room for it, and say how the window stands."""
        ...


class LimitsWindow:
    """A window of the `limits` library."""

    def __init__(self, storage: MemoryStorage | RedisStorage) -> None:
        self._limiter = MovingWindowRateLimiter(storage)

    @classmethod
    def in_memory(cls) -> "LimitsWindow":
        """Count in this process."""
        return cls(MemoryStorage())

    @classmethod
    def in_redis(cls, url: str) -> "LimitsWindow":
        """Count in Redis, for every process that shares it."""
        from coredis.retry import NoRetryPolicy

        return cls(
            RedisStorage(
                f"async+{url}",
                wrap_exceptions=True,
                connect_timeout=_REDIS_PATIENCE_S,
                stream_timeout=_REDIS_PATIENCE_S,
                # Else what Redis counted and could not say in time would be counted again.
                retry_policy=NoRetryPolicy(),  # type: ignore[arg-type] # passed on to coredis
            )
        )

    async def take(self, key: str, limit: int, length: timedelta) -> Standing:
        """Count one request if the window has room for it, and say how the window stands."""
        item = RateLimitItemPerSecond(limit, int(length.total_seconds()))
        allowed = await self._limiter.hit(item, key)
        stats = await self._limiter.get_window_stats(item, key)
        # A hit may leave the window between the two questions; what was refused had no room.
        remaining = max(0, stats.remaining) if allowed else 0
        return allowed, remaining, stats.reset_time - time.time()


class PostgresWindow:
    """A window in a row of its own, for processes that share the database and no Redis."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, limit: int, length: timedelta) -> Standing:
        """Count one request if the window has room for it, and say how the window stands.

        The moments are the database's, taken when the row is locked: processes whose clocks
        differ count in one time.
        """
        async with self._database.transaction() as tx:
            row = await tx.fetchrow(_TAKE, key, limit, length)
        if row is None:
            raise RuntimeError("an upsert returns its row")
        return row["allowed"], max(0, limit - row["counted"]), float(row["reset_s"])


_TAKE = """
INSERT INTO rate_window AS w (key, hits, allowed, at)
SELECT $1, ARRAY[now], true, now FROM (SELECT clock_timestamp() AS now OFFSET 0) AS moment
ON CONFLICT (key) DO UPDATE SET (hits, allowed, at) = (
  SELECT CASE WHEN cardinality(kept) < $2 THEN kept || now ELSE kept END,
         cardinality(kept) < $2, now
  FROM (SELECT clock_timestamp() AS now OFFSET 0) AS moment,
       LATERAL (SELECT coalesce(array_agg(hit ORDER BY hit), '{}') AS kept
                FROM unnest(w.hits) AS hit WHERE hit > now - $3::interval) AS recent
)
RETURNING allowed, cardinality(hits) AS counted,
          extract(epoch FROM hits[1] + $3::interval - at) AS reset_s
"""
