"""A real ledger to judge: calls written through the inbox, numbered by the sequencer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import Databases, Server, fresh_urls, needs, through_each_role
from tests.e2e.web.conftest import Browser

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.operations.objectives import Objectives
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.identity import Tenants
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind, Sequencer
from ai_agent_mesh.sla import Category, Fault, Service

#: What the probe's calls of each service are.
PROBED = {
    Service.API: Category.AGENT_CRUD,
    Service.ORCHESTRATION: Category.WORKFLOW_EXECUTION,
    Service.GOVERNANCE: Category.POLICY_EVALUATION,
    Service.TELEMETRY: Category.TELEMETRY_QUERY,
}


LEASE = timedelta(minutes=1)


def at(minute: int, second: float = 0, *, day: int = 5, hour: int = 10) -> datetime:
    """Return a moment of November 2026."""
    start = datetime(2026, 11, day, hour, tzinfo=UTC)
    return start + timedelta(minutes=minute, seconds=second)


@dataclass
class Book:
    """Writes calls and has them numbered."""

    databases: Databases
    inbox: Inbox
    sequencer: Sequencer
    clock: FixedClock
    signer: Signer
    playbook: Playbook = field(default_factory=default)

    @property
    def objectives(self) -> Objectives:
        """Return who judges, at this book's clock."""
        return Objectives(self.databases.operations, self.playbook, self.clock)

    def under(self, playbook: Playbook) -> None:
        """Let everything run under another playbook from now on, the sequencer too."""
        self.playbook = playbook
        self.sequencer = Sequencer(
            self.databases.ledger, self.signer, playbook, self.clock, lease=LEASE
        )

    async def tenant(self, name: str, tier: str, since: datetime) -> str:
        """Make a tenant that began at a moment."""
        async with self.databases.app.transaction() as tx:
            return (await Tenants(tx, FixedClock(since)).create(name, tier)).id

    async def move(self, tenant: str, tier: str, since: datetime, fee: Money | None = None) -> None:
        """Put a tenant on a tier (and a fee) from a moment on."""
        async with self.databases.app.transaction() as tx:
            await Tenants(tx, FixedClock(since)).update(tenant, "*", tier=tier, monthly_fee=fee)

    async def calls(
        self,
        tenant: str,
        moment: datetime,
        *,
        times: int = 1,
        service: Service = Service.API,
        category: Category = Category.AGENT_CRUD,
        fault: Fault = Fault.NONE,
        latency_us: int = 1_000,
    ) -> None:
        """Write the same call several times."""
        for _ in range(times):
            await self.inbox.append(
                Entry(
                    id=new_id("ent"),
                    kind=Kind.CALL,
                    tenant=tenant,
                    at=moment,
                    service=service,
                    category=category,
                    route="GET /v1/agents",
                    status=503 if fault is Fault.PLATFORM else 200,
                    fault=fault,
                    duration_us=latency_us,
                    latency_us=latency_us,
                    playbook=self.playbook.digest,
                )
            )

    async def probe(
        self, first: datetime, minutes: int, *, without: tuple[Service, ...] = ()
    ) -> None:
        """Let the probe try each service once a minute."""
        for minute in range(minutes):
            for service, category in PROBED.items():
                if service not in without:
                    moment = first + timedelta(minutes=minute, seconds=15)
                    await self.calls("probe", moment, service=service, category=category)

    async def number(self, moment: datetime | None = None) -> None:
        """Move everything into the ledger, now or as if it were another moment."""
        present = self.clock.now()
        self.clock.move((moment or present) - present)
        try:
            await self._number()
        finally:
            self.clock.move(present - self.clock.now())

    async def _number(self) -> None:
        epoch = await self.sequencer.take_over()
        assert epoch is not None
        while await self.sequencer.number(epoch):
            pass
        async with self.databases.ledger.transaction() as tx:
            await tx.execute("UPDATE ledger_head SET leased_until = '-infinity'")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Return the key that the book is signed with."""
    return Signer.load_or_create(tmp_path / "ledger.key")


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Return a browser, or skip where there is none."""
    return Browser(needs("chromium"), tmp_path / "profile")


@pytest.fixture
async def book(databases: Databases, signer: Signer) -> AsyncIterator[Book]:
    """Open a book on a fresh database; its clock stands at the 6th, 12:00."""
    async with _opened(databases, signer) as book:
        yield book


@asynccontextmanager
async def another_book(postgres: Server, template: str, signer: Signer) -> AsyncIterator[Book]:
    """Open one more book, on a database of its own."""
    async with (
        fresh_urls(postgres, template) as urls,
        through_each_role(*urls) as databases,
        _opened(databases, signer) as book,
    ):
        yield book


@asynccontextmanager
async def _opened(databases: Databases, signer: Signer) -> AsyncIterator[Book]:
    """Open a book on a database."""
    inbox = Inbox(databases.ledger)
    inbox.start()
    clock = FixedClock(at(0, day=6, hour=12))
    sequencer = Sequencer(databases.ledger, signer, default(), clock, lease=LEASE)
    yield Book(databases, inbox, sequencer, clock, signer)
    await inbox.stop()
