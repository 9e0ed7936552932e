"""Takes one request from a tenant's allowance, wherever it is counted."""

import logging
import math
import time
from collections.abc import Callable
from datetime import timedelta

from limits.errors import StorageError

from ai_agent_mesh.evidence import PROBE_TENANT
from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity.allowances.model import UNLIMITED, Allowance
from ai_agent_mesh.product.identity.allowances.windows import LimitsWindow, PostgresWindow, Window

_LOG = logging.getLogger(__name__)
_MINUTE = timedelta(minutes=1)
# How long a shared window that failed is left alone before it is tried again.
_REST_S = 5.0
# What a shared window raises when it is away; anything else is a bug and is heard of.
_AWAY = (StorageError, Unavailable, OSError, TimeoutError)


class Allowances:
    """Counts each tenant's requests against the playbook's limit for its tier.

    A shared window that fails is replaced by one in this process until it answers again: a limit
    never opens, and a request never fails because its counter did.
    """

    def __init__(
        self,
        playbook: Playbook,
        shared: Window | None = None,
        *,
        length: timedelta = _MINUTE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._playbook = playbook
        self._shared = shared
        # A store beside the database is there for processes that this one need not know of.
        self._outside = not isinstance(shared, PostgresWindow)
        self._own = LimitsWindow.in_memory()
        self._length = length
        self._monotonic = monotonic
        self._rests_until = -math.inf
        self._away = False
        self._alone = False

    @classmethod
    def over(
        cls, playbook: Playbook, redis_url: str | None = None, database: Database | None = None
    ) -> "Allowances":
        """Count in Redis when there is one, else in the database when it is given, else here."""
        if redis_url:
            return cls(playbook, LimitsWindow.in_redis(redis_url))
        return cls(playbook, PostgresWindow(database) if database else None)

    def count_here(self, *, alone: bool) -> None:
        """Count in this process while no other one serves; that costs no transaction.

        When that changes the count begins anew, so a tenant may once have its allowance twice.
        """
        self._alone = alone and not self._outside

    async def take(self, tenant_id: str, tier: str) -> Allowance:
        """Count one request of a tenant on a tier and return its standing.

        The tenant `probe` has no limit, whatever its tier.
        """
        limit = self._playbook.tiers[tier].requests_per_minute
        if limit is None or tenant_id == PROBE_TENANT:
            return UNLIMITED
        allowed, remaining, reset_s = await self._take(tenant_id, limit)
        seconds = int(self._length.total_seconds())
        return Allowance(
            allowed=allowed,
            limit=limit,
            remaining=remaining if allowed else 0,
            reset_s=min(seconds, max(1, math.ceil(reset_s))),
            policy=f'"default";q={limit};w={seconds}',
        )

    async def _take(self, key: str, limit: int) -> tuple[bool, int, float]:
        if self._shared is None or self._alone or self._monotonic() < self._rests_until:
            return await self._own.take(key, limit, self._length)
        try:
            standing = await self._shared.take(key, limit, self._length)
        except _AWAY as reason:
            self._rest(reason)
            return await self._own.take(key, limit, self._length)
        if self._away:
            self._away = False
            _LOG.info("requests are counted in the shared store again")
        return standing

    def _rest(self, reason: Exception) -> None:
        self._rests_until = self._monotonic() + _REST_S
        if not self._away:
            self._away = True
            _LOG.warning("the shared request counter is away, counting in memory: %s", reason)
