"""What a segment is given: the process's equipment, and what the run's row says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.plumbing.jobs import Lease
from ai_agent_mesh.plumbing.observe import Trace
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.agents import Invoker
from ai_agent_mesh.product.governance import Gate
from ai_agent_mesh.product.orchestration.definition import Definition
from ai_agent_mesh.product.orchestration.expressions import Expressions

Json = Any  # what JSON can say


@dataclass(frozen=True, kw_only=True)
class Equipment:
    """All that segments need: the same for every one of a process."""

    app: Database
    operations: Database
    clock: Clock
    lease: Lease
    gate: Gate
    invoker: Invoker
    http: httpx.AsyncClient
    expressions: Expressions
    playbook_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A claimed run: what its row says."""

    id: str
    tenant_id: str
    segment: int
    workflow: str
    version: str
    definition: Definition
    input: Json
    actor: str
    role: str
    tier: str
    trace: Trace
    created_at: datetime
    started_at: datetime
    since: datetime
