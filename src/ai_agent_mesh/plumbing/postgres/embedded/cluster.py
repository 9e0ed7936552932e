"""What the server is told: how its cluster is made, its settings, and who may come in as whom."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import asyncpg

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres.embedded.account import Account
from ai_agent_mesh.plumbing.postgres.embedded.binaries import Binaries
from ai_agent_mesh.plumbing.postgres.embedded.place import Place

OWNER = "mesh_owner"
LOGIN = "mesh_login"
DATABASE = "mesh"


class ClusterNotMade(Unavailable):
    "PostgreSQL could not make its data folder: {reason}"


@dataclass(frozen=True, slots=True)
class Urls:
    """How to reach the server: `migrate` as its owner, `login` as the role that may do nothing
    until it takes on one of the mesh's roles. libpq URIs over a Unix socket; the port in them
    keeps a PGPORT of the environment out.
    """

    migrate: str
    login: str

    @classmethod
    def over(cls, socket: Path, database: str = DATABASE) -> Self:
        """Return the URLs of a database behind the socket in a folder."""
        where = f"@/{database}?host={socket}&port=5432"
        return cls(f"postgresql://{OWNER}{where}", f"postgresql://{LOGIN}{where}")


def make(binaries: Binaries, place: Place, account: Account) -> None:
    """Run initdb unless there is a cluster; a half-made one of an earlier try is thrown away."""
    fresh = place.home / "data.new"
    account.run(["/bin/rm", "-rf", fresh])
    # The built-in C.UTF-8 sorts by code point, the same on every machine and for every version of
    # the system's libraries; an index can never silently rot under it.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["--encoding=UTF8", "--locale=C", "--data-checksums", f"--username={OWNER}"]
    options += ["--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions"]
    program = binaries.program("initdb")
    made = account.run([program, "-D", fresh, *options, *locale], folder=place.home)
    if made.returncode == 0:
        made = account.run(["/bin/mv", fresh, place.data])
    if made.returncode:
        raise ClusterNotMade(reason=_complaint(made.stdout))


def _complaint(said: str) -> str:
    """Return the line that says why; those after it only tell of the cleaning up.

    >>> _complaint("creating files ...\\nFATAL:  no room\\ninitdb: removing data directory")
    'FATAL:  no room'
    """
    lines = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
    known = ("FATAL", "PANIC", "error:", "No space", "cannot", "Read-only")
    return next((line for line in lines if any(each in line for each in known)), lines[-1])


def configure(place: Place, account: Account, socket: Path, *, durable: bool) -> None:
    """Write the server's three files anew; what `ALTER SYSTEM` has set wins over them."""
    account.write(place.data / "postgresql.conf", _settings(place, socket, durable=durable))
    account.write(place.data / "pg_hba.conf", _doors())
    account.write(place.data / "pg_ident.conf", _people(account))


async def found(socket: Path) -> Urls:
    """Make the login role and the database where they are missing, and return their URLs."""
    owner = await asyncpg.connect(Urls.over(socket, "postgres").migrate)
    try:
        if not await owner.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", LOGIN):
            await owner.execute(
                f"CREATE ROLE {LOGIN} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE"
                " NOREPLICATION NOBYPASSRLS"
            )
        if not await owner.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await owner.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
            await owner.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        await owner.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {LOGIN}")
    finally:
        await owner.close()
    return Urls.over(socket)


_HEAD = "# Written anew at each start. Change a setting with ALTER SYSTEM, which wins over this.\n"

#: For a machine of two cores that it shares with the mesh itself.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_lock_waits": "on",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
}

_FAST_AND_LOOSE = {"fsync": "off", "full_page_writes": "off"}


def _settings(place: Place, socket: Path, *, durable: bool) -> str:
    settings = _SETTINGS | {
        "unix_socket_directories": str(socket),
        "log_directory": str(place.log),
    }
    if not durable:
        settings |= _FAST_AND_LOOSE
    return _HEAD + "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _doors() -> str:
    return _HEAD.splitlines()[0] + (
        "\nlocal all all peer map=mesh"
        "\nlocal replication all peer map=mesh"
        "\nhost all all samehost scram-sha-256\n"
    )


def _people(account: Account) -> str:
    """Let the server's user and the one that runs the mesh come in as owner and as login."""
    names = dict.fromkeys((account.name, Account.of(os.geteuid()).name))
    lines = [f'mesh "{name}" {role}\n' for name in names for role in (OWNER, LOGIN)]
    return _HEAD + "".join(lines)
