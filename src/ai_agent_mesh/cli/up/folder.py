"""The data folder of one machine: what lies in it, and who may enter."""

import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ai_agent_mesh.kernel.errors import Unavailable

#: A start that could not write so much would stop in the middle.
_TRIAL_BYTES = 2**20


class DataUnusable(Unavailable):
    "The data folder {folder} cannot be used: {reason}. Name another with --data."


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A folder that exists and that this user may write in."""

    path: Path

    @property
    def postgres(self) -> Path:
        """What belongs to PostgreSQL alone."""
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        """The lock of the one supervisor."""
        return self.path / "run"

    @property
    def restarts(self) -> Path:
        """How often each process had to be started again."""
        return self.run / "restarts.json"

    @property
    def logs(self) -> Path:
        """What each process says."""
        return self.path / "logs"

    @property
    def keys(self) -> Path:
        """The keys that no one else may read."""
        return self.path / "keys"


def prepare(path: Path) -> DataFolder:
    """Make the data folder where it is missing; raise `DataUnusable` with the reason.

    For root it may be passed through, since PostgreSQL's own user must reach its part of it.
    """
    folder = DataFolder(path)
    try:
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for each in (folder.run, folder.logs, folder.keys):
            each.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise DataUnusable(folder=path, reason=_reason(path, error)) from None
    _try_to_write(folder)
    return folder


def _try_to_write(folder: DataFolder) -> None:
    """Write and sync a little: rights, a read-only disk and a full one all show in that alone."""
    trial = folder.run / "trial"
    try:
        with trial.open("wb") as file:
            file.write(bytes(_TRIAL_BYTES))
            os.fsync(file.fileno())
    except OSError as error:
        raise DataUnusable(folder=folder.path, reason=_reason(folder.path, error)) from None
    finally:
        with suppress(OSError):
            trial.unlink()


def _reason(path: Path, error: OSError) -> str:
    return f"{error.strerror}{_owner(path)}" if isinstance(error, PermissionError) else (
        error.strerror or str(error)
    )  # fmt: skip


def _owner(path: Path) -> str:
    """Name the owner of the nearest folder that exists, when that is someone else."""
    near = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    uid = near.lstat().st_uid
    if uid == os.geteuid():
        return ""
    try:
        return f" ({near} belongs to {pwd.getpwuid(uid).pw_name})"
    except KeyError:
        return f" ({near} belongs to user id {uid})"
