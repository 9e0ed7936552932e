"""Knows how a secret lies on disk: written whole or not at all, and readable by its owner only."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from ai_agent_mesh.kernel.errors import Invalid

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFileExposed(Invalid):
    "The key file {path} is open to other users (mode {mode}); close it: chmod 600 {path}"


class KeyFileBroken(Invalid):
    "The key file {path} does not hold a key of the expected form; restore it from a backup."


def load_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the bytes of the key file, first creating it with `make` where there is none.

    Processes that start together agree on one key: the first complete file wins.

    Raises:
        KeyFileExposed: others may read or write the file.
    """
    if not path.exists():
        _create(path, make())
    return _load(path)


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _OTHERS:
            raise KeyFileExposed(path=str(path), mode=f"{mode:04o}")
        return file.read()


def _create(path: Path, content: bytes) -> None:
    _make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A hard link, not a rename: it fails when another process was first, and so never
        # replaces a key that is in use.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
