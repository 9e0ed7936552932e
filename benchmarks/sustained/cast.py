"""Who sends the traffic: tenants of every tier within their limits, with agents and a workflow."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from ai_agent_mesh.playbook import Playbook
from benchmarks.system import System

#: How many tenants of a tier take part, and how many agents each has from the start.
TENANTS = {"free": (4, 4), "professional": (3, 40), "enterprise": (3, 200)}
#: A tenant with a limit uses this share of it, evenly.
SHARE = 0.8

#: Of a hundred requests, so many do this: mostly reads and decisions, as agents at work ask them.
MIX = {
    "whoami": 6, "keys": 2, "key": 2,
    "read": 24, "list": 6, "agent": 6,
    "start": 4, "run": 8, "runs": 2, "workflow": 2,
    "policy": 22,
    "usage": 4, "series": 3, "percentiles": 3, "spans": 2,
    "invoke": 4,
}  # fmt: skip

NAME = "load"
WORKFLOW = {
    "document": {"dsl": "1.0.0", "namespace": "load", "name": NAME, "version": "1.0.0"},
    "do": [
        {"ask": {"call": "a2a", "with": {"agent": "standing-0", "data": {"text": "${ .turn }"}}}},
        {"note": {"set": {"done": True}}},
    ],
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant: its id, the key that it asks with, and the agents that it has."""

    id: str
    key: str
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """The tenants of one tier, and how many requests a second they send together."""

    name: str
    rate: float
    tenants: tuple[Tenant, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who takes part, and the address that all agents answer at."""

    tiers: tuple[Tier, ...]
    service: str
    wheel: tuple[str, ...] = field(default_factory=lambda: wheel(MIX))

    @property
    def tenants(self) -> list[str]:
        """Return the ids of all tenants."""
        return [tenant.id for tier in self.tiers for tenant in tier.tenants]


def wheel(mix: Mapping[str, int]) -> tuple[str, ...]:
    """Return each act as often as the mix says, in an order that is the same each time."""
    acts = [act for act, count in mix.items() for _ in range(count)]
    random.Random(1).shuffle(acts)  # noqa: S311 - an even mixture, not a secret
    return tuple(acts)


def rates(playbook: Playbook, rate: float) -> dict[str, float]:
    """Return the requests a second of each tier; the one without a limit sends what is left.

    >>> from ai_agent_mesh.playbook import default
    >>> rates(default(), 300)
    {'free': 3.2, 'professional': 24.0, 'enterprise': 272.8}
    """
    limits = {name: playbook.tiers[name].requests_per_minute for name in TENANTS}
    sent = {
        name: round(limit / 60 * SHARE * TENANTS[name][0], 3)
        for name, limit in limits.items()
        if limit is not None
    }
    rest = rate - sum(sent.values())
    if rest <= 0:
        raise ValueError(f"the limited tiers alone send {sum(sent.values()):g} a second")
    return {name: sent.get(name, rest) for name in TENANTS}


@asynccontextmanager
async def service() -> AsyncIterator[str]:
    """Run what every agent is, in a process of its own; yield its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.service", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/"
    finally:
        process.kill()
        await process.wait()


async def assemble(up: System, playbook: Playbook, rate: float, address: str) -> Cast:
    """Make every tenant, agent and workflow on a fresh system."""
    made = await up.mesh(
        "key", "create", "--tenant", "platform", "--service", "load", "--role", "owner"
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{up.port}", timeout=60) as http:
        platform = _Caller(http, made["text"])
        tiers = [
            Tier(name, sent, tuple([
                await _tenant(platform, f"{name}-{n}", name, address)
                for n in range(TENANTS[name][0])
            ]))
            for name, sent in rates(playbook, rate).items()
        ]  # fmt: skip
    return Cast(tuple(tiers), address)


class _Caller:
    """Asks with one key, again where the tier's limit says later."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}

    def with_key(self, key: str) -> "_Caller":
        return _Caller(self._http, key)

    async def post(self, path: str, body: object) -> dict[str, Any]:
        answer = await self._http.post(path, json=body, headers=self._headers)
        answer.raise_for_status()
        return dict(answer.json())


async def _tenant(platform: _Caller, name: str, tier: str, address: str) -> Tenant:
    owner = {"email": f"owner@{name}.example", "name": "Owner"}
    opened = await platform.post("/v1/tenants", {"name": name, "tier": tier, "owner": owner})
    key = opened["issued"]["text"]
    own = platform.with_key(key)
    bodies = [
        {"name": f"standing-{n}", "kind": "http", "url": address} for n in range(TENANTS[tier][1])
    ]
    agents = await asyncio.gather(*(own.post("/v1/agents", body) for body in bodies))
    await own.post("/v1/workflows", WORKFLOW)
    return Tenant(opened["tenant"]["id"], key, tuple(agent["id"] for agent in agents))
