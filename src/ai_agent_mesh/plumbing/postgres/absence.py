"""The ways in which a database does not serve now, each a fact with its reason."""

import asyncpg

from ai_agent_mesh.kernel.errors import Unavailable

#: What asyncpg raises when the server is gone, closing, full, or may not write; all mean: try
#: again later.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked on a connection whose server has just said good-bye
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)


class DatabaseAway(Unavailable):
    """The database cannot be reached now."""


class DatabaseSilent(DatabaseAway):
    """The database did not answer in time."""


class DatabaseFull(DatabaseAway):
    """The database's disk is full."""


class DatabaseCrowded(DatabaseAway):
    """The database has no connection left."""


class DatabaseReadOnly(DatabaseAway):
    """The database takes no changes now: it is a standby, or set to be read only."""


class OutcomeUnknown(DatabaseAway):
    """The database left before it said whether this was done."""


_KNOWN: dict[type[BaseException], type[DatabaseAway]] = {
    TimeoutError: DatabaseSilent,
    asyncpg.QueryCanceledError: DatabaseSilent,
    asyncpg.DiskFullError: DatabaseFull,
    asyncpg.TooManyConnectionsError: DatabaseCrowded,
    asyncpg.ReadOnlySQLTransactionError: DatabaseReadOnly,
}


def absence(error: BaseException) -> DatabaseAway:
    """Return the fact that one of `AWAY` tells.

    >>> absence(TimeoutError())
    DatabaseSilent('The database did not answer in time.')
    >>> absence(ConnectionRefusedError())
    DatabaseAway('The database cannot be reached now.')
    """
    found = (fact for kind, fact in _KNOWN.items() if isinstance(error, kind))
    return next(found, DatabaseAway)()


def outcome(error: BaseException) -> DatabaseAway:
    """Return the fact that one of `AWAY` tells of a statement whose success makes things durable.

    >>> outcome(ConnectionResetError())
    OutcomeUnknown('The database left before it said whether this was done.')
    >>> outcome(asyncpg.DiskFullError())
    DatabaseFull("The database's disk is full.")
    """
    return absence(error) if isinstance(error, _REFUSED) else OutcomeUnknown()


# The server is there and says that it did nothing.
_REFUSED = (
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)
