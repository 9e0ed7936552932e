"""Two API processes and three workers on one database."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import httpx
import pytest
from tests.conftest import Server, named
from tests.soak.system import Customer, System, standing

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.settings import Settings


@asynccontextmanager
async def fresh(postgres: Server, template: str) -> AsyncIterator[Settings]:
    """Make a database and a data folder for one system."""
    name, folder = f"mesh_twice_{new_id('t')[-12:]}", Path(mkdtemp(prefix="mesh-twice-"))
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield Settings(
            data=folder / "data",
            database_url=named(postgres.login, name),
            migrate_url=named(postgres.migrate, name),
            lease_s=1.5,
        )
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def system(postgres: Server, template: str) -> AsyncIterator[System]:
    """Start two APIs and three workers."""
    async with (
        fresh(postgres, template) as settings,
        standing(settings, settings.data.parent) as system,
    ):
        await system.add("api", "api", "worker", "worker", "worker")
        yield system


@pytest.fixture(scope="module")
async def customer(system: System) -> Customer:
    """Make a tenant without a limit."""
    return await system.customer("twice")


@asynccontextmanager
async def both(
    system: System, customer: Customer
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Give a client to each of the two APIs."""
    one, other = (
        httpx.AsyncClient(
            base_url=api.url,
            headers={"Authorization": f"Bearer {customer.key}"},
            timeout=30,
            trust_env=False,
        )
        for api in system.named("api")
    )
    async with one, other:
        yield one, other
