"""The only composition root: makes every part from the settings and hands each its ports."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from ipaddress import IPv4Network, IPv6Network, ip_network

from httpx import AsyncClient

import ai_agent_mesh.playbook as playbooks
from ai_agent_mesh.adapters.webhooks import WebhookSender
from ai_agent_mesh.kernel.clock import Clock, SystemClock
from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.operations.alerts import (
    Alerts,
    Surroundings,
    last_events,
    look_ahead,
    metrics_of,
)
from ai_agent_mesh.operations.notices import Deliveries
from ai_agent_mesh.operations.objectives import Everybody
from ai_agent_mesh.operations.status import Readiness, Status
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.crypto import KeyedHash, MasterKey, Signer, Vault
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy, guarded_client
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.plumbing.postgres import Database, Role, Tx
from ai_agent_mesh.plumbing.postgres.embedded import find_running
from ai_agent_mesh.product.agents import (
    AgentCaller,
    HealthChecks,
    Invoker,
    Kind,
    Registrar,
    registered,
)
from ai_agent_mesh.product.governance import Gate, Policies
from ai_agent_mesh.product.identity import (
    Allowances,
    Authenticator,
    Tenant,
    TenantHook,
    fees_by_currency,
    key_hash,
)
from ai_agent_mesh.product.ledger import Inbox, Sequencer, Spool, unnumbered
from ai_agent_mesh.product.orchestration import ExpressionPool, runs_by_state
from ai_agent_mesh.product.telemetry import listen
from ai_agent_mesh.settings import LOOPBACK, Settings

VERSION = version("ai-agent-mesh")
#: How long a scrape of metrics waits for the database.
_PATIENCE_S = 1.0
#: A request's statement is cut off after so long: with what waits before and after it, no request
#: outlasts a silent database by much more than half a minute.
STATEMENT_S = 10


class NothingRuns(Unavailable):
    """No database runs in {data}: start `mesh up`, or name its data folder in MESH_DATA."""


def addresses(settings: Settings) -> tuple[str, str]:
    """Return the database's addresses: the running system's, and the migrations'.

    Raises:
        NothingRuns: no address is set, and no embedded server runs in the data folder.
    """
    if settings.database_url:
        return settings.database_url, settings.migrate_url or settings.database_url
    urls = find_running(settings.data / "postgres")
    if urls is None:
        raise NothingRuns(data=str(settings.data))
    return urls.login, urls.migrate


@dataclass(kw_only=True)
class Mesh:
    """Every wired part of one process."""

    settings: Settings
    playbook: Playbook
    clock: Clock
    app: Database
    operations: Database
    ledger: Database
    hasher: KeyedHash
    vault: Vault
    signer: Signer
    inbox: Inbox
    spool: Spool
    sequencer: Sequencer
    metrics: Metrics
    authenticator: Authenticator
    allowances: Allowances
    gate: Gate
    outbound: AddressPolicy
    http: AsyncClient
    deliveries: Deliveries
    expressions: ExpressionPool
    status: Status
    everybody: Everybody
    surroundings: Surroundings
    alerts: Alerts
    readiness: Readiness
    on_tenant_created: tuple[TenantHook, ...]
    version: str = VERSION
    openapi: bytes = b"{}"
    login_url: str = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, roomy: bool = True) -> AsyncIterator["Mesh"]:
        """Wire everything, and close it at the end; a process that serves many asks for `roomy`.

        Raises:
            NothingRuns, DatabaseAway: there is no database.
            PlaybookInvalid: the playbook has mistakes.
            KeyFileExposed, KeyFileBroken: a key file cannot be used.
        """
        playbook = playbooks.load(settings.playbook)
        login, _ = addresses(settings)
        clock = SystemClock()
        master = MasterKey.load_or_create(settings.master_key)
        signer = Signer.load_or_create(settings.ledger_key)
        metrics = metrics_of(playbook, VERSION)
        async with AsyncExitStack() as stack:
            opened = partial(_pool, stack, login)
            app = await opened(Role.APP, 20 if roomy else 2, STATEMENT_S)
            operations = await opened(Role.OPERATIONS, 4 if roomy else 2)
            ledger = await opened(Role.LEDGER, 4 if roomy else 2)
            inbox, sequencer = Inbox(ledger), Sequencer(ledger, signer, playbook, clock)
            inbox.start()
            stack.push_async_callback(inbox.stop)
            hasher, vault, gate = key_hash(master), Vault(master), Gate(clock, metrics)
            surroundings = Surroundings(settings.data, settings.restarts)
            outbound = AddressPolicy(_allowed(settings))
            client = guarded_client(outbound, body_limit_bytes=playbook.limits.request_bytes)
            await stack.enter_async_context(client)
            sender = WebhookSender(outbound)
            stack.push_async_callback(sender.aclose)
            if settings.otlp_endpoint:
                from ai_agent_mesh.adapters.otlp import OtlpExporter

                exporter = OtlpExporter(settings.otlp_endpoint, metrics, version=VERSION)
                stack.push_async_callback(asyncio.to_thread, exporter.close)
                stack.callback(listen(exporter))
            mesh = cls(
                settings=settings,
                playbook=playbook,
                clock=clock,
                app=app,
                operations=operations,
                ledger=ledger,
                hasher=hasher,
                vault=vault,
                signer=signer,
                inbox=inbox,
                spool=Spool(settings.data / "spool"),
                sequencer=sequencer,
                metrics=metrics,
                authenticator=Authenticator(app, hasher, clock),
                allowances=Allowances.over(playbook, settings.redis_url, app),
                gate=gate,
                outbound=outbound,
                http=client,
                deliveries=Deliveries(app, operations, vault, sender, clock, playbook.digest),
                expressions=await stack.enter_async_context(ExpressionPool()),
                status=Status(operations, playbook, clock),
                everybody=Everybody(operations, playbook, clock),
                surroundings=surroundings,
                alerts=Alerts(
                    app, operations, playbook, clock, version=VERSION, surroundings=surroundings
                ),
                readiness=Readiness(
                    app, operations, inbox, sequencer, playbook, clock, settings.data
                ),
                on_tenant_created=(_install_policies,),
                login_url=login,
            )
            if roomy:  # what serves must not stop for an import later
                _ = mesh.registrar, mesh.callers, mesh.vault.keysets
            yield mesh

    # The kit of A2A takes a second to import, and most commands call no agent.
    @cached_property
    def callers(self) -> Mapping[Kind, AgentCaller]:
        """Return how agents of each kind are called."""
        from ai_agent_mesh.adapters.a2a import A2aCaller
        from ai_agent_mesh.adapters.http import HttpCaller
        from ai_agent_mesh.adapters.openai import OpenAiCaller

        return {
            Kind.A2A: A2aCaller(self.http),
            Kind.HTTP: HttpCaller(self.http),
            Kind.OPENAI: OpenAiCaller(self.http),
        }

    @cached_property
    def registrar(self) -> Registrar:
        """Return who registers agents."""
        from ai_agent_mesh.adapters.a2a import A2aCards

        return Registrar(self.vault, A2aCards(self.http))

    @cached_property
    def invoker(self) -> Invoker:
        """Return the way to agents."""
        return Invoker(self.callers, self.gate, self.vault, self.clock)

    @cached_property
    def health(self) -> HealthChecks:
        """Return what checks agents on a schedule."""
        return HealthChecks(self.app, self.operations, self.callers, self.vault)

    async def look_ahead(self) -> None:
        """Learn what is promised of this month and the next, and of announced maintenance.

        Raises:
            Unavailable: the database does not answer; what was known before still holds.
        """
        async with self.operations.transaction() as tx:
            await look_ahead(tx, self.metrics, self.playbook, self.clock.now())

    async def measure(self, accept: str) -> tuple[bytes, str]:
        """Return the metrics of this moment, and their content type.

        Without a database they are those that need none.
        """
        for name in ("app", "operations", "ledger"):
            pool: Database = getattr(self, name)
            self.metrics.pool(name, pool.in_use, pool.size)
        self.metrics.host(self.surroundings.machine())
        restarts = self.surroundings.restarts()
        self.metrics.restarts({name: one.count for name, one in restarts.items()})
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._ask_the_database()
        except (Unavailable, TimeoutError):
            # What was counted here must be seen most of all while the database is away.
            self.metrics.database(up=False)
        return self.metrics.render(accept)

    async def _ask_the_database(self) -> None:
        async with self.operations.transaction() as tx:
            self.metrics.inbox(*await unnumbered(tx))
            self.metrics.runs(await runs_by_state(tx))
            self.metrics.business(await registered(tx), await fees_by_currency(tx))
            self.metrics.host(await self.surroundings.used(tx))
            events = await last_events(tx)
            self.metrics.events({signal.value: at for signal, at in events.items()})
        await self.look_ahead()
        self.metrics.database(up=True)


def _allowed(settings: Settings) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return what outbound calls may reach; on embedded defaults, agents on this machine too."""
    if settings.allow or settings.database_url:
        return settings.allow
    return tuple(ip_network(part) for part in LOOPBACK.split(","))


async def _install_policies(tx: Tx, _tenant: Tenant) -> None:
    await Policies(tx).install_starter()


async def _pool(
    stack: AsyncExitStack, url: str, role: Role, size: int, statement_s: int = 30
) -> Database:
    database = await Database.open(url, role, max_size=size, statement_s=statement_s)
    stack.push_async_callback(database.close)
    return database
