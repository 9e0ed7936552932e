"""Checks agents on a schedule: which are due, whether they answer, and what that makes of them."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from random import uniform
from time import monotonic

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.agents.facts import AgentMissing
from ai_agent_mesh.product.agents.model import Agent, Health, Kind, Target
from ai_agent_mesh.product.agents.ports import AgentCaller, Vault
from ai_agent_mesh.product.agents.rules import CHECK_EVERY, CHECK_S, health_after
from ai_agent_mesh.product.agents.service import Agents
from ai_agent_mesh.product.agents.store import AgentStore, due_checks

#: So many checks run at once, and so many of one tenant: agents that hang leave room for others'.
AT_ONCE, AT_ONCE_OF_ONE = 16, 8
#: A run begins no check after so many seconds, so that the next one sees who has become due since.
RUN_S = 5.0
#: The next check is due after this share of the interval at least: agents that were registered
#: together are soon not checked together.
SOONEST = 0.9
ERROR_CHARACTERS = 300

_log = get_logger("agents.health")


class HealthChecks:
    """The scheduled checks of every tenant's agents; safe to run from several workers."""

    def __init__(
        self,
        app: Database,
        operations: Database,
        callers: Mapping[Kind, AgentCaller],
        vault: Vault,
    ) -> None:
        self._app = app
        self._operations = operations
        self._callers = callers
        self._vault = vault

    async def due(self, now: datetime, limit: int = 200) -> list[tuple[str, str]]:
        """Return (tenant id, agent id) of the checks due at `now`, as `due_checks` orders them."""
        async with self._operations.transaction() as tx:
            return await due_checks(tx, now, limit)

    async def check(self, tenant_id: str, agent_id: str, now: datetime) -> Health | None:
        """Check one agent and keep what was found; None when another worker has the check.

        The row is claimed first, in a transaction of its own, and no connection is held while the
        agent is asked.
        """
        async with self._app.tenant(tenant_id) as tx:
            again = CHECK_EVERY * uniform(SOONEST, 1)  # noqa: S311 - nobody gains by guessing it
            if not await AgentStore(tx, self._vault).claim_check(agent_id, now, again):
                return None
            agents = Agents(tx, self._vault)
            agent = await agents.get(agent_id)
            target = await agents.target(agent)
        error = await self._ask(agent, target)
        state, failures = health_after(agent.health, error)
        health = Health(state=state, consecutive_failures=failures, error=error, checked_at=now)
        async with self._app.tenant(tenant_id) as tx:
            await AgentStore(tx, self._vault).keep_health(agent_id, health)
        return health

    async def run(self, now: datetime, limit: int = 200) -> int:
        """Do checks that are due at `now`, tenants taking turns; return how many were done.

        Those for which there was no time are due for the next run.
        """
        end, turn = monotonic() + RUN_S, asyncio.Semaphore(AT_ONCE)
        turn_of = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE_OF_ONE))

        async def one(tenant_id: str, agent_id: str) -> bool:
            async with turn_of[tenant_id], turn:
                if monotonic() > end:
                    return False
                try:
                    return await self.check(tenant_id, agent_id, now) is not None
                except AgentMissing:
                    return False  # deleted since it was listed
                except Fact as fact:  # one tenant's broken seal must not stop the others' checks
                    _log.warning("check failed", agent=agent_id, reason=fact.detail)
                    return False

        return sum(await asyncio.gather(*[one(*pair) for pair in await self.due(now, limit)]))

    async def _ask(self, agent: Agent, target: Target) -> str | None:
        try:
            await self._callers[agent.kind].check(target, deadline_s=CHECK_S)
        except Fact as fact:
            return fact.detail[:ERROR_CHARACTERS].replace("\0", "")
        return None


async def check_health(checks: HealthChecks, now: datetime) -> int:
    """Run the scheduled job once: every check due at `now`; return how many were done."""
    return await checks.run(now)
