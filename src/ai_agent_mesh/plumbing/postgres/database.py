"""A pool of connections under one role, and transactions that belong to one tenant.

The login user may `SET ROLE` to each of the roles below and has no rights of its own; the role is
fixed when a connection is made. A tenant transaction sets `mesh.tenant_id` for its own length, and
every tenant table's row-level security reads it: without it no row is visible. What only reads
needs no transaction: its connection is set to the tenant, unless it was for the same one last time,
and may write nothing until a transaction of its own allows it again.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from ai_agent_mesh.plumbing.postgres.absence import (
    AWAY,
    DatabaseAway,
    DatabaseReadOnly,
    absence,
    outcome,
)
from ai_agent_mesh.plumbing.postgres.link import Link, teach
from ai_agent_mesh.plumbing.postgres.tx import MalformedTenant, Tx, counted

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

T = TypeVar("T")

# A tenant id goes into the text of BEGIN, because SET takes no parameters and one message instead
# of two saves a quarter of a short transaction. Only this alphabet may pass.
_TENANT = re.compile(r"[a-z0-9_]{1,64}")

# How long a connection is waited for.
_PATIENCE_S = 10
# How long this side waits for a statement after the server should have cut it off, for an undoing,
# and for a pool that is to close.
_GRACE_S = 2


class Role(StrEnum):
    """The database roles, each with the rights its work needs and no more."""

    APP = "mesh_app"
    OPERATIONS = "mesh_operations"
    LEDGER = "mesh_ledger"
    DBOS = "mesh_dbos"


class Database:
    """A pool of connections to one database under one role."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._lent = 0  # those that wait for a connection are counted too

    @classmethod
    async def open(
        cls,
        url: str,
        role: Role,
        *,
        max_size: int = 8,
        timeout_s: float = 10,
        statement_s: int = 30,
    ) -> "Database":
        """Connect under `role`; the server cuts a statement off after `statement_s` seconds.

        Raises:
            DatabaseAway: the server does not answer within `timeout_s` seconds.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                # A floor would be restored without end, and loudly, while the server is away.
                min_size=0,
                max_size=max_size,
                timeout=timeout_s,
                # A server that is silent cuts nothing off: then this side does.
                command_timeout=statement_s + _GRACE_S,
                init=teach,
                connection_class=Link,
                reset=_nothing,
                server_settings={
                    "role": role.value,
                    "application_name": role.value,
                    "timezone": "UTC",
                    "statement_timeout": f"{statement_s}s",
                    "idle_in_transaction_session_timeout": "60s",
                },
            )
            async with pool.acquire(timeout=timeout_s):
                pass
        except (*AWAY, asyncpg.PostgresError) as error:
            raise DatabaseAway(f"The database cannot be reached: {_line(error)}") from error
        return cls(pool)

    async def close(self) -> None:
        """Close every connection, by force after two seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), _GRACE_S)
        except TimeoutError:
            self._pool.terminate()

    @property
    def in_use(self) -> int:
        """Return how many connections are lent out now."""
        return self._pool.get_size() - self._pool.get_idle_size()

    @property
    def size(self) -> int:
        """Return how many connections there may be at the most."""
        return self._pool.get_max_size()

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Tx]:
        """Open a transaction that sees one tenant's rows; commit at the end, undo on an error."""
        tx = await self.begin(tenant_id)
        async with self._ending(tx):
            yield tx

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction of no tenant; commit at the end, undo on an error."""
        tx = await self.begin(None)
        async with self._ending(tx):
            yield tx

    @asynccontextmanager
    async def _ending(self, tx: Tx) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await self.rollback(tx)
            raise
        await self.commit(tx)

    async def begin(self, tenant_id: str | None, settings: str = "") -> Tx:
        """Lend a connection and open a transaction on it; the caller must end it.

        Raises:
            DatabaseAway: no connection can be had within ten seconds.
        """
        if tenant_id is not None:
            settings = f"; SET LOCAL mesh.tenant_id = '{_checked(tenant_id)}'{settings}"
        tx = Tx(await self._lend(), tenant_id)
        link: Link = tx._connection  # type: ignore[assignment] # noqa: SLF001 - a proxy of it
        async with self._whole(tx):
            if link.read_only:
                raise DatabaseReadOnly
            if tenant_id is None:
                await link.read_for_nobody()
            await link.execute(f"BEGIN READ WRITE{settings}")
        return tx

    async def read(self, tenant_id: str) -> Tx:
        """Lend a connection that sees a tenant's rows and can only read; the caller must end it.

        Each statement stands alone, which saves two of three round trips where there is one. It
        raises what `begin` does.
        """
        _checked(tenant_id)
        tx = Tx(await self._lend(), tenant_id, reading=True)
        link: Link = tx._connection  # type: ignore[assignment] # noqa: SLF001 - a proxy of it
        async with self._whole(tx):
            await link.read_for(tenant_id)
        return tx

    async def execute(self, sql: str, *args: object) -> int:
        """Run one statement of no tenant, committed at once; return how many rows it touched.

        Raises:
            DatabaseAway: the server cannot be reached.
            OutcomeUnknown: it left before it said what became of the statement.
        """
        return counted(await self._alone(lambda link: link.execute(sql, *args)))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Run one statement as `execute` does; return its first row, or None."""
        return await self._alone(lambda link: link.fetchrow(sql, *args))

    async def _alone(self, ask: "Callable[[Link], Awaitable[T]]") -> T:
        tx = Tx(await self._lend(), None)
        link: Link = tx._connection  # type: ignore[assignment] # noqa: SLF001 - a proxy of it
        async with self._whole(tx):
            await link.read_for_nobody()
        async with self._whole(tx, outcome):
            answer = await ask(link)
        await self._give_back(tx)
        return answer

    async def _lend(self) -> "Connection":
        free = self._lent < self.size
        self._lent += 1
        try:
            if free:  # nothing to wait for but a connection being made, which has its own limit
                return await self._pool.acquire()
            async with asyncio.timeout(_PATIENCE_S):
                return await self._pool.acquire()
        except BaseException as error:
            self._lent -= 1
            if isinstance(error, AWAY):
                raise absence(error) from error
            raise

    async def _give_back(self, tx: Tx) -> None:
        self._lent -= 1
        await self._pool.release(tx._connection)  # noqa: SLF001

    @asynccontextmanager
    async def _whole(
        self, tx: Tx, told: Callable[[BaseException], DatabaseAway] = absence
    ) -> AsyncIterator[None]:
        """Throw the connection away when what happens inside fails."""
        try:
            yield
        except AWAY as error:
            await self._discard(tx)
            raise told(error) from error
        except BaseException:
            await self._discard(tx)
            raise

    async def commit(self, tx: Tx) -> None:
        """Commit and give the connection back.

        Raises:
            OutcomeUnknown: the server left before it said whether the commit holds.
        """
        if not tx.reading:
            async with self._whole(tx, outcome):
                await tx._connection.execute("COMMIT")  # noqa: SLF001 - Tx is this kit's own value
        await self._give_back(tx)

    async def rollback(self, tx: Tx) -> None:
        """Undo and give the connection back; a connection that cannot is thrown away."""
        if tx.lost:
            await self._discard(tx)
            return
        if not tx.reading:
            try:
                undoing = tx._connection.execute("ROLLBACK", timeout=_GRACE_S)  # noqa: SLF001
                await asyncio.shield(undoing)
            except (*AWAY, asyncpg.PostgresError, asyncio.CancelledError):
                await self._discard(tx)
                return
        await self._give_back(tx)

    async def _discard(self, tx: Tx) -> None:
        # The pool lets go by itself of a connection that broke; then there is nothing to end.
        with suppress(asyncpg.InterfaceError):
            tx._connection.terminate()  # noqa: SLF001
        await self._give_back(tx)


def _checked(tenant_id: str) -> str:
    if not _TENANT.fullmatch(tenant_id):
        raise MalformedTenant
    return tenant_id


async def _nothing(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Leave a returned connection as it is: every setting ended with its transaction."""


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
