"""A pool of connections under one role, and transactions that belong to one tenant.

The login user may `SET ROLE` to each of the roles below and has no rights of its own; the role is
fixed when a connection is made. A tenant transaction sets `mesh.tenant_id` for its own length, and
every tenant table's row-level security reads it: without it no row is visible.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import msgspec

from ai_agent_mesh.kernel.errors import Invalid, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

T = TypeVar("T")

# A tenant id goes into the text of BEGIN, because SET takes no parameters and one message instead
# of two saves a quarter of a short transaction. Only this alphabet may pass.
_TENANT = re.compile(r"[a-z0-9_]{1,64}")

#: What asyncpg raises when the server is gone, closing or full; all mean: try again later.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
)


class Unstorable(Invalid):
    """A value cannot be kept: {reason}."""


class DatabaseAway(Unavailable):
    """The database cannot be reached now."""


class MalformedTenant(Invalid):
    """A tenant id has lower-case letters, digits and underscores only."""


class Role(StrEnum):
    """The database roles, each with the rights its work needs and no more."""

    APP = "mesh_app"
    OPERATIONS = "mesh_operations"
    LEDGER = "mesh_ledger"
    DBOS = "mesh_dbos"


class Tx:
    """One open transaction. It commits or rolls back where it was opened, never in a store."""

    __slots__ = ("_connection", "_tenant_id")

    def __init__(self, connection: "Connection", tenant_id: str | None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    @property
    def tenant_id(self) -> str:
        """Return the tenant whose rows this transaction sees."""
        if self._tenant_id is None:
            raise MalformedTenant("This transaction belongs to no tenant.")
        return self._tenant_id

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Return all rows."""
        return await _asked(self._connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Return the first row, or None."""
        return await _asked(self._connection.fetchrow(sql, *args))

    async def fetchval(self, sql: str, *args: object) -> Any:  # a column's type is the query's
        """Return the first column of the first row, or None."""
        return await _asked(self._connection.fetchval(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and return how many rows it touched."""
        tag = await _asked(self._connection.execute(sql, *args))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each row of arguments."""
        await _asked(self._connection.executemany(sql, rows))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what happens inside when it raises, and leave the rest of the transaction whole."""
        await self._connection.execute("SAVEPOINT inner_part")
        try:
            yield
        except BaseException:
            await self._connection.execute("ROLLBACK TO SAVEPOINT inner_part")
            raise
        await self._connection.execute("RELEASE SAVEPOINT inner_part")


async def _asked(query: Awaitable[T]) -> T:
    """Await a query, and tell a value that the database cannot keep from a bug of ours."""
    try:
        return await query
    except asyncpg.DataError as error:
        reason = _unfit(error)
        if reason is None:
            raise
        raise Unstorable(reason=reason) from error


def _unfit(error: asyncpg.DataError) -> str | None:
    if isinstance(
        error, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
    ):
        return "text holds the character NUL"
    if isinstance(error.__cause__, UnicodeEncodeError):
        return "text holds half of a surrogate pair"
    if isinstance(error.__cause__, OverflowError) or isinstance(
        error, (asyncpg.NumericValueOutOfRangeError, asyncpg.DatetimeFieldOverflowError)
    ):
        return "a number or date is out of range"
    return None


class Database:
    """A pool of connections to one database under one role."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    @classmethod
    async def open(
        cls, url: str, role: Role, *, min_size: int = 1, max_size: int = 8, timeout_s: float = 10
    ) -> "Database":
        """Connect under `role`; statements are cut off after 30 s.

        Raises:
            DatabaseAway: the server does not answer within `timeout_s` seconds.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=min_size,
                max_size=max_size,
                timeout=timeout_s,
                init=_teach,
                reset=_nothing,
                server_settings={
                    "role": role.value,
                    "application_name": role.value,
                    "timezone": "UTC",
                    "statement_timeout": "30s",
                    "idle_in_transaction_session_timeout": "60s",
                },
            )
        except AWAY as error:
            raise DatabaseAway(f"The database cannot be reached: {_line(error)}") from error
        return cls(pool)

    async def close(self) -> None:
        """Close every connection, by force after five seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), 5)
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
        except AWAY as error:
            await self.rollback(tx)
            raise DatabaseAway from error
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
            if not _TENANT.fullmatch(tenant_id):
                raise MalformedTenant
            settings = f"; SET LOCAL mesh.tenant_id = '{tenant_id}'{settings}"
        try:
            connection = await self._pool.acquire(timeout=10)
        except AWAY as error:
            raise DatabaseAway from error
        tx = Tx(connection, tenant_id)
        try:
            await connection.execute(f"BEGIN{settings}")
        except AWAY as error:
            await self._discard(tx)
            raise DatabaseAway from error
        except BaseException:
            await self._discard(tx)
            raise
        return tx

    async def commit(self, tx: Tx) -> None:
        """Commit and give the connection back.

        Raises:
            DatabaseAway: the server left before it said whether the commit holds.
        """
        try:
            await tx._connection.execute("COMMIT")  # noqa: SLF001 - Tx is this module's own value
        except AWAY as error:
            await self._discard(tx)
            raise DatabaseAway from error
        except BaseException:
            await self._discard(tx)
            raise
        await self._pool.release(tx._connection)  # noqa: SLF001

    async def rollback(self, tx: Tx) -> None:
        """Undo and give the connection back; a connection that cannot is thrown away."""
        try:
            await asyncio.shield(tx._connection.execute("ROLLBACK", timeout=5))  # noqa: SLF001
        except (*AWAY, asyncpg.PostgresError, asyncio.CancelledError):
            await self._discard(tx)
            return
        await self._pool.release(tx._connection)  # noqa: SLF001

    async def _discard(self, tx: Tx) -> None:
        tx._connection.terminate()  # noqa: SLF001
        await self._pool.release(tx._connection)  # noqa: SLF001


async def _teach(connection: "asyncpg.Connection[asyncpg.Record] | Connection") -> None:
    """Pass JSON as plain values, encoded by msgspec."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(memoryview(raw)[1:]),
    )


async def _nothing(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Leave a returned connection as it is: every setting ended with its transaction."""


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
