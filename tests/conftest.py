"""Real PostgreSQL for every test that asks: one server a session, one fresh database a fixture."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import settings

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import Database, Role, migrate

# A slow or busy machine is no failure.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

NOTHING_SKIPPED = bool(os.environ.get("MESH_NOTHING_SKIPPED"))


@dataclass(frozen=True)
class Server:
    """Where the test server is: `migrate` may do anything, `login` is what the product gets."""

    migrate: str
    login: str

    @property
    def user(self) -> str:
        """Return the product's user, as the database knows it."""
        return urlsplit(self.login).username or ""


@dataclass(frozen=True)
class Databases:
    """One fresh, migrated database, through each role's own pool."""

    url: str
    migrate_url: str
    app: Database
    operations: Database
    ledger: Database


def needs(command: str) -> str:
    """Return an outside command's path, or skip the test (never under MESH_NOTHING_SKIPPED)."""
    found = shutil.which(command)
    if found is None:
        if NOTHING_SKIPPED:
            pytest.fail(f"{command} is absent, and nothing may be skipped here")
        pytest.skip(f"{command} is not installed")
    return found


def named(url: str, database: str) -> str:
    """Return the address with another database's name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where a server is given, keep what is tried on it: the rest would only be run once more."""
    if not os.environ.get("MESH_TEST_DATABASE_URL"):
        return
    tried = {id(item) for item in items if "postgres" in getattr(item, "fixturenames", ())}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in tried])
    items[:] = [item for item in items if id(item) in tried]


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Server]:
    """Start the embedded server in a folder of its own, or take MESH_TEST_DATABASE_URL."""
    given = os.environ.get("MESH_TEST_DATABASE_URL")
    if given:
        yield Server(given, os.environ.get("MESH_TEST_LOGIN_URL", given))
        return
    from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer

    folder = Path(mkdtemp(prefix="mesh-test-"))
    folder.chmod(0o711)  # where root runs the tests, PostgreSQL's own user must pass through
    server = EmbeddedServer(folder / "postgres", durable=False)
    urls = await server.start()
    try:
        yield Server(urls.migrate, urls.login)
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(postgres: Server) -> AsyncIterator[str]:
    """Migrate one database that the others are copied from."""
    name = f"mesh_template_{new_id('t')[-8:]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        await migrate(named(postgres.migrate, name), postgres.user)
        yield name
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@asynccontextmanager
async def fresh_urls(postgres: Server, template: str) -> AsyncIterator[tuple[str, str]]:
    """Make a fresh migrated database; return its (login, migrate) addresses."""
    name = f"mesh_test_{new_id('t')[-12:]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield named(postgres.login, name), named(postgres.migrate, name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture
async def database_urls(postgres: Server, template: str) -> AsyncIterator[tuple[str, str]]:
    """Make a fresh migrated database; return its (login, migrate) addresses."""
    async with fresh_urls(postgres, template) as urls:
        yield urls


@pytest.fixture
async def databases(database_urls: tuple[str, str]) -> AsyncIterator[Databases]:
    """Open a fresh database through the application's, the operations' and the ledger's roles."""
    async with through_each_role(*database_urls) as opened:
        yield opened


@asynccontextmanager
async def through_each_role(url: str, migrate_url: str) -> AsyncIterator[Databases]:
    """Open a database through each role."""
    app = await Database.open(url, Role.APP)
    operations = await Database.open(url, Role.OPERATIONS)
    ledger = await Database.open(url, Role.LEDGER)
    yield Databases(url, migrate_url, app, operations, ledger)
    for pool in (app, operations, ledger):
        await pool.close()
