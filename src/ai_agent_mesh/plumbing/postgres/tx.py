"""One transaction as a store sees it: queries, and what the database cannot keep told as a fact."""

from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.plumbing.postgres.absence import AWAY, absence

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

T = TypeVar("T")


class MalformedTenant(Invalid):
    """A tenant id has lower-case letters, digits and underscores only."""


class Unstorable(Invalid):
    """A value cannot be kept: {reason}."""


class Tx:
    """One open transaction. It commits or rolls back where it was opened, never in a store.

    A `reading` one has statements that stand alone and may change nothing. Every statement raises
    `DatabaseAway` when the database does not serve now.
    """

    __slots__ = ("_connection", "_tenant_id", "lost", "reading")

    def __init__(
        self, connection: "Connection", tenant_id: str | None, *, reading: bool = False
    ) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self.reading = reading
        #: The connection is gone, or nobody knows what state it is in.
        self.lost = False

    @property
    def tenant_id(self) -> str:
        """Return the tenant whose rows this transaction sees."""
        if self._tenant_id is None:
            raise MalformedTenant("This transaction belongs to no tenant.")
        return self._tenant_id

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Return all rows."""
        return await self._asked(self._connection.fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Return the first row, or None."""
        return await self._asked(self._connection.fetchrow(sql, *args))

    async def fetchval(self, sql: str, *args: object) -> Any:  # a column's type is the query's
        """Return the first column of the first row, or None."""
        return await self._asked(self._connection.fetchval(sql, *args))

    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and return how many rows it touched."""
        return counted(await self._asked(self._connection.execute(sql, *args)))

    async def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each row of arguments."""
        await self._asked(self._connection.executemany(sql, rows))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what happens inside when it raises, and leave the rest of the transaction whole."""
        await self.execute("SAVEPOINT inner_part")
        try:
            yield
        except BaseException:
            if not self.lost:
                await self.execute("ROLLBACK TO SAVEPOINT inner_part")
            raise
        await self.execute("RELEASE SAVEPOINT inner_part")

    async def _asked(self, query: Awaitable[T]) -> T:
        """Await a query; tell what the database cannot keep, and its absence, from bugs of ours."""
        try:
            return await query
        except asyncpg.DataError as error:
            reason = _unfit(error)
            if reason is None:
                raise
            raise Unstorable(reason=reason) from error
        except AWAY as error:
            self.lost = not isinstance(error, asyncpg.PostgresError)
            if self.reading and isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                raise  # we said that it would only read
            raise absence(error) from error


def counted(tag: str) -> int:
    """Return the number of rows in a command's tag.

    >>> counted("INSERT 0 3"), counted("BEGIN")
    (3, 0)
    """
    count = tag.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


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
