"""Where the server's files lie, and which of them its user can reach."""

import errno
import logging
import os
import pwd
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres.embedded.account import SYSTEM_FOLDER, Account

log = logging.getLogger(__name__)

# struct sockaddr_un holds 108 bytes with the closing zero; the socket's own name is added to it.
_SOCKET_PATH_BYTES = 107
_SOCKET_NAME = "/.s.PGSQL.5432"
# A path outside of these would need quoting somewhere between a URL, libpq's list of hosts
# (split at commas) and postgresql.conf (also split at commas, quoted by apostrophes).
_PLAIN = re.compile(r"/[A-Za-z0-9._/+-]*")


class FolderUnusable(Unavailable):
    "The folder {folder} cannot hold the database: {reason}."


@dataclass(frozen=True, slots=True)
class Place:
    """The folder that is the server's own, and what lies in it."""

    home: Path

    @property
    def data(self) -> Path:
        """The cluster itself (PGDATA)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's own log files, one for each day of the week."""
        return self.home / "log"


def data_of(folder: Path) -> Path:
    """Return where the cluster of a folder lies, whether or not it exists yet."""
    return folder.resolve() / "data"


def prepare(folder: Path, account: Account) -> Place:
    """Make the server's folder and return the place; raise `FolderUnusable` with the reason.

    Where the account cannot enter a parent of `folder` (root's private home, say), the data get a
    folder of their own below the system's, and `folder` becomes a link to it.
    """
    try:
        if not folder.is_symlink():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _own(folder, account)
        home = folder.resolve(strict=True)
        if not home.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        raise FolderUnusable(folder=folder, reason=error.strerror) from None
    if not (account.may("-w", home) and account.may("-x", home)):
        owner = _owner(home)
        raise FolderUnusable(folder=folder, reason=f"{account.name} may not write in it ({owner})")
    place = Place(home)
    account.run(["/bin/mkdir", "-p", "-m", "0700", place.log])
    return place


def _own(folder: Path, account: Account) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if account.is_current or any(folder.iterdir()):
            return
    if account.is_current:
        return
    os.chown(folder, account.uid, account.gid)
    if account.may("-x", folder):
        return
    folder.rmdir()
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="data-", dir=SYSTEM_FOLDER))
    os.chown(home, account.uid, account.gid)
    folder.symlink_to(home)
    log.warning("user %s cannot reach %s: the database lies in %s", account.name, folder, home)


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return f"it belongs to {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"it belongs to user id {uid}"


def socket_folder(place: Place, account: Account) -> Path:
    """Make the folder of the socket: in the place, or a short private one when the path is long."""
    inside = place.home / "run"
    if len(os.fsencode(f"{inside}{_SOCKET_NAME}")) <= _SOCKET_PATH_BYTES and _PLAIN.fullmatch(
        str(inside)
    ):
        account.run(["/bin/mkdir", "-p", "-m", "0700", inside])
        return inside
    short = Path(
        tempfile.mkdtemp(prefix="mesh-", dir="/tmp")
    )  # a socket's path must be short, and mkdtemp makes it private
    if not account.is_current:
        os.chown(short, account.uid, account.gid)
    return short
