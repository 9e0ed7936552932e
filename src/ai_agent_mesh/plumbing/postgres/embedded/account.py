"""The operating system's user that runs the server: PostgreSQL refuses to run as root."""

import logging
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ai_agent_mesh.kernel.errors import Unavailable

log = logging.getLogger(__name__)

_USUAL = "postgres"
_OURS = "mesh-postgres"
SYSTEM_FOLDER = Path("/var/lib/ai-agent-mesh")


class NoAccount(Unavailable):
    "PostgreSQL cannot run as this user: {reason}."


class NotWritten(Unavailable):
    "PostgreSQL's user {account} cannot write {path}: {reason}."


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> Self:
        """Return the account of a user id; raise `NoAccount` when the system has none."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise NoAccount(reason=f"user id {uid} has no entry in the passwd file") from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def is_current(self) -> bool:
        """Tell whether this process runs under the account."""
        return self.uid == os.geteuid()

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        stdin: int = subprocess.DEVNULL,
        output: int = subprocess.DEVNULL,
        last: Callable[[], None] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program under the account, in `folder`, with a clean environment.

        It gets a session of its own, so that a terminal's Ctrl-C does not reach it. `last` is
        what the new process does before it becomes the program.
        """
        other = not self.is_current
        return subprocess.Popen(
            list(argv),
            cwd=folder,
            env=_environment(),
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=last,  # noqa: PLW1509  # what is passed only makes one system call
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=[] if other else None,
        )

    def run(
        self, argv: Sequence[str | Path], *, folder: Path = Path("/"), text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program under the account to its end, with `text` on its standard input."""
        pipe = subprocess.PIPE
        process = self.start(argv, folder=folder, stdin=pipe, output=pipe)
        output, _ = process.communicate(text.encode())
        return subprocess.CompletedProcess(argv, process.returncode, output.decode(), "")

    def may(self, test: str, path: Path) -> bool:
        """Ask the system's own `test` (`-x`, `-w`, …) about a path, as this account."""
        return self.run(["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, path]).returncode == 0

    def write(self, path: Path, text: str) -> None:
        """Put a file in place in one step, as this account: root never writes in its folders."""
        script = 'umask 077; cat >"$1.new" && mv "$1.new" "$1"'
        written = self.run(["/bin/sh", "-c", script, "sh", path], text=text)
        if written.returncode:
            reason = written.stdout.strip().rpartition(": ")[2]
            raise NotWritten(account=self.name, path=path, reason=reason)


def account_for(data: Path) -> Account:
    """Choose who runs the server: ourselves; for root the data's owner, `postgres`, a new user."""
    if os.geteuid() != 0:
        return Account.of(os.geteuid())
    if data.exists():
        return Account.of(data.stat().st_uid)
    for name in (_USUAL, _OURS):
        try:
            return Account.of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    return _created()


def _created() -> Account:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        raise NoAccount(reason=f"root may not run it, and there is no useradd to make user {_OURS}")
    options = ["--system", "--home-dir", str(SYSTEM_FOLDER), "--shell", "/usr/sbin/nologin"]
    made = subprocess.run([program, *options, _OURS], capture_output=True, text=True, check=False)
    if made.returncode:
        raise NoAccount(reason=f"making user {_OURS} failed: {made.stderr.strip()}")
    log.warning("PostgreSQL refuses to run as root: made the system user %s for it", _OURS)
    return Account.of(pwd.getpwnam(_OURS).pw_uid)


def _environment() -> Mapping[str, str]:
    # Nothing of the caller's PGDATA, PGOPTIONS, LC_ALL or LD_PRELOAD reaches the server.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
