"""A ledger on a real database: entries, a sequencer, and a superuser to cheat with."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from tests.conftest import Databases

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind, Sequencer
from ai_agent_mesh.sla import Category, Fault, Service

Recorded = Callable[..., Entry]


class Superuser(Protocol):
    """One whom neither rights nor triggers bind."""

    async def execute(self, sql: str) -> str:
        """Run a statement."""
        ...


@pytest.fixture
def call() -> Recorded:
    """Return a maker of calls; keyword arguments change the usual one."""

    def made(tenant: str = "tnt_a", latency_us: int = 1_500, fault: Fault = Fault.NONE) -> Entry:
        return Entry(
            id=new_id("ent"),
            kind=Kind.CALL,
            tenant=tenant,
            at=SystemClock().now(),
            service=Service.API,
            category=Category.AGENT_CRUD,
            route="GET /v1/agents/{agent_id}",
            method="GET",
            path="/v1/agents/agt_1",
            status=200,
            fault=fault,
            duration_us=latency_us,
            latency_us=latency_us,
            playbook=default().digest,
        )

    return made


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Return a signer with a fresh key."""
    return Signer.load_or_create(tmp_path / "ledger.key")


@pytest.fixture
def sequencer(databases: Databases, signer: Signer) -> Callable[..., Sequencer]:
    """Return a maker of sequencers that share the database and the key."""

    def made(batch: int = 1_000, lease: timedelta = timedelta(seconds=3)) -> Sequencer:
        return Sequencer(
            databases.ledger, signer, default(), SystemClock(), batch=batch, lease=lease
        )

    return made


@pytest.fixture
async def inbox(databases: Databases) -> AsyncIterator[Inbox]:
    """Start an inbox, and stop it."""
    inbox = Inbox(databases.ledger)
    inbox.start()
    yield inbox
    await inbox.stop()


@pytest.fixture
async def superuser(databases: Databases) -> AsyncIterator[Superuser]:
    """Connect as one whom neither rights nor triggers bind."""
    connection = await asyncpg.connect(databases.migrate_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def filled(
    databases: Databases, inbox: Inbox, sequencer: Callable[..., Sequencer], call: Recorded
) -> Databases:
    """Number twelve entries of three tenants in three batches."""
    holder = sequencer(batch=4)
    epoch = await holder.take_over()
    assert epoch is not None
    tenants = ("tnt_a", "tnt_b", "probe") * 4
    for first in (0, 4, 8):
        for tenant in tenants[first : first + 4]:
            await inbox.append(call(tenant))
        assert await holder.number(epoch) == 4
    return databases
