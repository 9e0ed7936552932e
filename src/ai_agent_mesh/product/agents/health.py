"""Checks agents on a schedule: which are due, whether they answer, and what that makes of them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.agents.facts import AgentMissing
from ai_agent_mesh.product.agents.model import Agent, Health, Kind, Target
from ai_agent_mesh.product.agents.ports import AgentCaller, Vault
from ai_agent_mesh.product.agents.rules import CHECK_EVERY, CHECK_S, health_after
from ai_agent_mesh.product.agents.service import Agents
from ai_agent_mesh.product.agents.store import AgentStore, due_checks

AT_ONCE = 16
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
        """Return (tenant id, agent id) of the checks due at `now`, the longest due first."""
        async with self._operations.transaction() as tx:
            return await due_checks(tx, now, limit)

    async def check(self, tenant_id: str, agent_id: str, now: datetime) -> Health | None:
        """Check one agent and keep what was found; None when another worker has the check.

        The row is claimed first, in a transaction of its own, and no connection is held while the
        agent is asked.
        """
        async with self._app.tenant(tenant_id) as tx:
            if not await AgentStore(tx, self._vault).claim_check(agent_id, now, CHECK_EVERY):
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
        """Do all checks that are due at `now`, a few at once, and return how many were done."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(tenant_id: str, agent_id: str) -> bool:
            async with turn:
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
