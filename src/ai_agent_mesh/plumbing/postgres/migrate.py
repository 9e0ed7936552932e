"""Brings a database to the schema of this version, with Alembic, one process at a time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from ai_agent_mesh.kernel.errors import Conflict, Unavailable
from ai_agent_mesh.plumbing.postgres.database import Role

# Alembic and SQLAlchemy take a second to import and every process imports this module, so the
# functions that migrate import them, and nobody else does.
if TYPE_CHECKING:
    import sqlalchemy
    from alembic.config import Config

# Any 64-bit number that nothing else in the database locks on.
_LOCK = 0x6D65_7368
_ORDERLY = tuple(role.value for role in Role)


class MigrationFailed(Unavailable):
    """The database could not be migrated: {reason}"""


class SchemaNewer(Conflict):
    """The database is at revision {found}, which this older version does not know ({needed} is its
    newest): start the newer version, or restore a backup from before it.
    """


async def migrate(url: str, login: str | None = None) -> str:
    """Bring the database at `url` to the newest schema and return its revision.

    `url` must belong to a user who may create roles and tables; `login` is the user that the
    running system connects as, and is granted the right to take the roles (default: the same).

    Raises:
        MigrationFailed: the database refused, with its own first line as the reason.
        SchemaNewer: a later version has migrated it; nothing was changed.
    """
    return await asyncio.to_thread(_migrate, url, login)


@cache
def head_revision() -> str:
    """Return the revision that this version of the code needs.

    The files are named by their revisions, in order: whoever only asks need not import Alembic,
    which stops an event loop for most of a second.
    """
    versions = files("ai_agent_mesh") / "migrations" / "versions"
    named = [file.name for file in versions.iterdir() if file.name[0].isdigit()]
    if not named:
        raise MigrationFailed(reason="no migration is installed")
    return max(named).partition("_")[0]


async def current_revision(url: str) -> str | None:
    """Return the revision that the database is at, or None for an empty one.

    Raises:
        MigrationFailed: the database does not answer.
    """
    return await asyncio.to_thread(_current, url)


def _migrate(url: str, login: str | None) -> str:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    with as_file(files("ai_agent_mesh") / "migrations") as folder, _connected(url) as link:
        link.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = link
        _check_known(link, config)
        command.upgrade(config, "head")
        _grant(link, login)
        link.commit()
        return MigrationContext.configure(link).get_current_revision() or ""


def _check_known(link: "sqlalchemy.Connection", config: "Config") -> None:
    """Refuse a revision that no script of ours leads to."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(link).get_current_revision()
    if found is not None and found not in {one.revision for one in known.walk_revisions()}:
        raise SchemaNewer(found=found, needed=known.get_current_head())


def _grant(link: "sqlalchemy.Connection", login: str | None) -> None:
    quote = link.dialect.identifier_preparer.quote
    user = quote(login or str(link.exec_driver_sql("SELECT current_user").scalar_one()))
    for role in _ORDERLY:
        link.exec_driver_sql(f"GRANT {role} TO {user}")


def _current(url: str) -> str | None:
    from alembic.runtime.migration import MigrationContext

    with _connected(url) as link:
        return MigrationContext.configure(link).get_current_revision()


@contextmanager
def _connected(url: str) -> Iterator["sqlalchemy.Connection"]:
    """Lend one connection; what the database refuses is a MigrationFailed."""
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    engine = sqlalchemy.create_engine(_dialect(url), poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as link:
            yield link
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise MigrationFailed(reason=str(cause).splitlines()[0]) from error
    finally:
        engine.dispose()


def _dialect(url: str) -> str:
    """Name the driver in a libpq address, as SQLAlchemy wants it."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url
