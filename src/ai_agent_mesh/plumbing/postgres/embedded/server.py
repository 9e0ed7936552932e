"""Starting the server, knowing when it is ready, and stopping it, also after a crash."""

import asyncio
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType

import asyncpg

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres.embedded import cluster
from ai_agent_mesh.plumbing.postgres.embedded.account import Account, account_for
from ai_agent_mesh.plumbing.postgres.embedded.binaries import (
    Binaries,
    find_binaries,
    reachable,
)
from ai_agent_mesh.plumbing.postgres.embedded.cluster import Urls
from ai_agent_mesh.plumbing.postgres.embedded.place import (
    FolderUnusable,
    Place,
    data_of,
    prepare,
    socket_folder,
)
from ai_agent_mesh.plumbing.processes import FolderLock, die_with_parent, signal_all, working_in

log = logging.getLogger(__name__)

_READY_S = 300.0  # replaying the log after a crash takes its time
_FAST_STOP_S = 30.0
_HARD_STOP_S = 5.0
_POLL_S = 0.03
_WATCH_S = 0.1
_SHORTEN = 'cp "$0" "$0.1" || rm -f "$0.1"; : >"$0"'


class ServerFailed(Unavailable):
    "PostgreSQL did not start in {folder}: {reason}"


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stays the same for as long as one process owns the server."""

    place: Place
    account: Account
    binaries: Binaries
    socket: Path


class EmbeddedServer:
    """A PostgreSQL in `folder`, which is the server's own: nothing else may lie in it.

    `durable=False` turns fsync off, for tests that throw the data away. As a context manager it
    starts, gives the URLs, and stops. Start it from the main thread: the server goes down with
    the thread that started it, even when that is killed.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self._durable = durable
        self._lock: FolderLock | None = None
        self._standing: _Standing | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> Urls:
        """Make the cluster where there is none, start the server and return its URLs once ready.

        Raises `FolderInUse` (another process holds the folder), `FolderUnusable`, `NoAccount`,
        `NoBinaries` or `ServerFailed`, each a line for a person.
        """
        account = account_for(data_of(self.folder))
        place = prepare(self.folder, account)
        self._lock = _hold(place)
        try:
            binaries = reachable(find_binaries(place.data, account), account)
            await _clear_away(place, account)
            if not account.may("-d", place.data):
                await asyncio.to_thread(cluster.make, binaries, place, account)
            socket = socket_folder(place, account)
            self._standing = _Standing(place, account, binaries, socket)
            cluster.configure(place, account, socket, durable=self._durable)
            await self._launch(self._standing)
            return await cluster.found(socket)
        except BaseException:
            await self.stop()
            raise

    async def restart(self) -> None:
        """Start the server again after it ended by itself; its URLs stay as they were.

        Raises `ServerFailed`; it may be tried again.
        """
        if self._standing is None or self.pid is not None:
            return
        await _clear_away(self._standing.place, self._standing.account)
        await self._launch(self._standing)

    async def wait(self) -> int:
        """Wait until the server has ended, for whatever reason, and return its exit code."""
        if self._process is None:
            return 0
        while (code := self._process.poll()) is None:  # noqa: ASYNC110  # it tells no event loop
            await asyncio.sleep(_WATCH_S)
        return code

    async def shorten_logs(self) -> None:
        """Move the content of a log file past 32 MB aside; where there is no room, it goes."""
        if self._standing is not None:
            shorten = ["/usr/bin/find", str(self._standing.place.log), "-type", "f"]
            shorten += [
                "-name",
                "*.log",
                "-size",
                "+32768k",
                "-exec",
                "/bin/sh",
                "-c",
                _SHORTEN,
                "{}",
                ";",
            ]
            await asyncio.to_thread(self._standing.account.run, shorten)

    async def stop(self) -> None:
        """Stop the server: open transactions are rolled back, everything committed is kept."""
        for by, patience_s in (
            (signal.SIGINT, _FAST_STOP_S), (signal.SIGQUIT, _HARD_STOP_S), (signal.SIGKILL, None),
        ):  # fmt: skip
            if self.pid is not None:
                signal_all([self.pid], by)
                await _within(self.wait(), patience_s)
        if self._standing and self._standing.socket.parent != self._standing.place.home:
            with suppress(OSError):
                self._standing.socket.rmdir()  # the short one, made for this start
        if self._lock:
            self._lock.release()
        self._process = self._standing = self._lock = None

    async def __aenter__(self) -> Urls:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _launch(self, standing: _Standing) -> None:
        self._process = _spawn(standing)
        url = Urls.over(standing.socket, "postgres").migrate
        give_up = monotonic() + _READY_S
        while True:
            try:
                connection = await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if self._process.poll() is not None:
                    raise ServerFailed(folder=self.folder, reason=_last_words(standing)) from None
                if monotonic() > give_up:
                    raise ServerFailed(folder=self.folder, reason=str(error)) from None
            else:
                return await connection.close()
            await asyncio.sleep(_POLL_S)


def find_running(folder: Path) -> Urls | None:
    """Return the URLs of the server that runs in `folder`, or None; for a second process's use.

    Reads what the server itself keeps in its pid file: the socket's folder stands in line 5, and
    "ready" in line 8. Raises `FolderUnusable` when this user may not look into the folder.
    """
    data = data_of(folder)
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise FolderUnusable(folder=folder, reason=error.strerror) from None
    ready = len(lines) >= 8 and lines[7].strip() == "ready"
    return Urls.over(Path(lines[4])) if ready and working_in(data) else None


async def _clear_away(place: Place, account: Account) -> None:
    """Stop what a killed supervisor left at work on the data, then the pid file it left behind.

    We hold the folder's lock, so no living supervisor owns these processes. Only when none of
    them is left may the pid file go: it is PostgreSQL's own guard against two servers on one
    cluster. It must go because its number may by now belong to some other process.
    """
    for by, patience_s in (
        (signal.SIGINT, _FAST_STOP_S), (signal.SIGQUIT, _HARD_STOP_S), (signal.SIGKILL, None),
    ):  # fmt: skip
        if left := working_in(place.data):
            log.warning("stopping PostgreSQL left by a killed process (%s)", by.name)
            signal_all(left, by)
            await _within(_gone(place), patience_s)
    if sys.platform == "linux":  # elsewhere nobody has looked
        account.run(["/bin/rm", "-f", place.data / "postmaster.pid"])


async def _gone(place: Place) -> None:
    while working_in(place.data):  # noqa: ASYNC110  # strangers tell no event loop of their end
        await asyncio.sleep(_POLL_S)


async def _within(waiting: Coroutine[None, None, object], patience_s: float | None) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, patience_s)


def discard(folder: Path) -> None:
    """Delete a stopped server's folder and all its data, wherever they lie.

    Raises `FolderInUse` while a process holds it.
    """
    home = folder.resolve()
    if home.is_dir():
        with FolderLock(home):
            shutil.rmtree(home)
    if folder.is_symlink():
        folder.unlink()


def _hold(place: Place) -> FolderLock:
    try:
        return FolderLock(place.home).acquire()
    except OSError as error:
        raise FolderUnusable(folder=place.home, reason=error.strerror) from None


def _spawn(standing: _Standing) -> subprocess.Popen[bytes]:
    # The shell opens the log as the account and becomes the server. SIGINT is PostgreSQL's word
    # for a fast and clean shutdown.
    program, place = standing.binaries.program("postgres"), standing.place
    return standing.account.start(
        ["/bin/sh", "-c", 'exec "$1" -D "$2" >start.log 2>&1', "sh", program, place.data],
        folder=place.home,
        last=die_with_parent(signal.SIGINT),
    )


def _last_words(standing: _Standing) -> str:
    """Return why the server ended: what it said last of itself, not of who asked it too early.

    What start.log holds is of this start; the newest file of log/ may be of an earlier one.
    """
    script = (
        'for each in start.log "$(ls -t log/*.log | head -n 1)"; do'
        ' grep -E "FATAL|PANIC|ERROR" "$each" | grep -v "the database system is" && break; done'
    )
    said = standing.account.run(["/bin/sh", "-c", script], folder=standing.place.home).stdout
    return said.strip().rpartition("\n")[2] or f"see the files in {standing.place.log}"
