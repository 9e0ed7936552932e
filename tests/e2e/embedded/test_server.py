"""The embedded server: real PostgreSQL processes in temporary folders."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import asyncpg
import psycopg
import pytest
import sqlalchemy

from ai_agent_mesh.plumbing.postgres.embedded import (
    EmbeddedServer,
    FolderUnusable,
    ServerFailed,
    Urls,
    discard,
    find_running,
)
from ai_agent_mesh.plumbing.postgres.embedded.account import Account
from ai_agent_mesh.plumbing.postgres.embedded.binaries import (
    Binaries,
    find_binaries,
    reachable,
)
from ai_agent_mesh.plumbing.processes import FolderInUse, working_in

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root starts the server as another user"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach, unlike pytest's private ones."""
    parent = Path(mkdtemp(prefix="mesh-embedded-"))
    parent.chmod(0o711)
    yield parent / "postgres"
    discard(parent / "postgres")
    shutil.rmtree(parent)


async def value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_new_folder_becomes_a_database_and_keeps_what_is_written(folder: Path) -> None:
    async with EmbeddedServer(folder) as urls:
        await value(urls.migrate, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with EmbeddedServer(folder) as urls:
        assert await value(urls.migrate, "SELECT answer FROM kept") == 42


async def test_every_driver_connects_with_the_same_address(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False) as urls:
        assert await value(urls.login, "SELECT current_user::text") == "mesh_login"
        with psycopg.connect(urls.login) as connection:
            assert connection.execute("SELECT current_user::text").fetchone() == ("mesh_login",)
        address = urls.migrate.replace("postgresql:", "postgresql+psycopg:")
        engine = sqlalchemy.create_engine(address)
        with engine.connect() as link:
            who = link.execute(sqlalchemy.text("SELECT current_user::text")).scalar()
        engine.dispose()
        assert who == "mesh_owner"


async def test_the_login_role_may_do_nothing_by_itself(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False) as urls:
        rights = (
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
            " OR rolinherit FROM pg_roles WHERE rolname = 'mesh_login'"
        )
        assert await value(urls.migrate, rights) is False
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await value(urls.login, "CREATE TABLE mine (id int)")


async def test_data_are_safe_on_disk_sorted_the_same_everywhere_and_off_the_network(
    folder: Path,
) -> None:
    wanted = {
        "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
        "server_encoding": "UTF8", "TimeZone": "UTC", "listen_addresses": "",
    }  # fmt: skip
    async with EmbeddedServer(folder) as urls:
        for name, setting in wanted.items():
            assert await value(urls.login, f"SHOW {name}") == setting, name
        assert await value(urls.login, "SELECT 'Z' < 'a' AND 'a' < 'ä'") is True


async def test_only_the_named_users_of_the_system_come_in(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False) as urls:
        lines = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method IN ('trust', 'password')"
        assert await value(urls.migrate, lines) == 0
        people = "SELECT array_agg(DISTINCT sys_name ORDER BY sys_name) FROM pg_ident_file_mappings"
        owner = pwd.getpwuid(folder.stat().st_uid).pw_name
        me = pwd.getpwuid(os.geteuid()).pw_name
        assert await value(urls.migrate, people) == sorted({owner, me})
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(urls.login.replace("mesh_login", "postgres"))


async def test_a_second_process_finds_the_running_server(folder: Path) -> None:
    assert find_running(folder) is None
    async with EmbeddedServer(folder, durable=False) as urls:
        assert find_running(folder) == urls
    assert find_running(folder) is None


async def test_a_folder_in_use_names_its_holder(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False):
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            await EmbeddedServer(folder).start()


async def test_a_killed_server_restarts_at_the_same_address_with_all_that_was_committed(
    folder: Path,
) -> None:
    server = EmbeddedServer(folder)
    urls = await server.start()
    try:
        await value(urls.migrate, "CREATE TABLE kept AS SELECT 7 AS answer")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await server.wait() == -signal.SIGKILL
        await server.restart()
        assert await value(urls.migrate, "SELECT answer FROM kept") == 7
    finally:
        await server.stop()


OWNER = """
import asyncio, sys
from pathlib import Path
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer

async def main():
    urls = await EmbeddedServer(Path(sys.argv[1])).start()
    print(urls.migrate, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def started(folder: Path) -> tuple[subprocess.Popen[bytes], Urls]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, folder], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        migrate = owner.stdout.readline().decode().strip()
    return owner, Urls(migrate, migrate)


async def test_the_server_goes_down_with_an_owner_that_is_killed(folder: Path) -> None:
    owner, urls = started(folder)
    assert await value(urls.migrate, "SELECT 1") == 1
    owner.kill()
    owner.wait()
    for _ in range(100):
        if not working_in(folder / "data"):
            break
        await asyncio.sleep(0.1)
    assert working_in(folder / "data") == ()


async def test_a_server_without_an_owner_is_stopped_before_the_next_start(folder: Path) -> None:
    async with EmbeddedServer(folder) as urls:
        await value(urls.migrate, "CREATE TABLE kept AS SELECT 3 AS answer")
    account = Account.of(folder.stat().st_uid)
    pg_ctl = find_binaries(folder / "data", account).program("pg_ctl")
    account.run([pg_ctl, "-D", folder / "data", "-l", "start.log", "-w", "start"], folder=folder)
    orphans = set(working_in(folder / "data"))
    assert orphans
    async with EmbeddedServer(folder) as again:
        assert not orphans & set(working_in(folder / "data"))
        assert await value(again.migrate, "SELECT answer FROM kept") == 3


async def test_a_pid_file_that_names_a_stranger_is_not_believed(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False):
        written = (folder / "data" / "postmaster.pid").read_text()
    lines = written.splitlines()
    stranger = os.getppid()
    (folder / "data" / "postmaster.pid").write_text("\n".join([str(stranger), *lines[1:]]) + "\n")
    assert find_running(folder) is None
    async with EmbeddedServer(folder, durable=False) as urls:
        assert await value(urls.migrate, "SELECT 1") == 1


async def test_a_half_made_cluster_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18\n")
    if os.geteuid() == 0:
        for each in (folder, folder / "data.new", folder / "data.new" / "PG_VERSION"):
            shutil.chown(each, "postgres", "postgres")
    async with EmbeddedServer(folder, durable=False) as urls:
        assert await value(urls.migrate, "SELECT 1") == 1


async def test_a_server_that_cannot_start_says_why_in_one_line(folder: Path) -> None:
    async with EmbeddedServer(folder, durable=False) as urls:
        await value(urls.migrate, "ALTER SYSTEM SET shared_buffers = '7TB'")
        with pytest.raises(asyncpg.PostgresError):
            await value(urls.migrate, "SELECT 1 / 0")  # a complaint of an earlier start
    with pytest.raises(ServerFailed) as caught:
        await EmbeddedServer(folder).start()
    assert "\n" not in str(caught.value)
    assert "memory" in str(caught.value)


async def test_a_path_too_long_for_a_socket_works_too(folder: Path) -> None:
    deep = folder.parent / ("x" * 100) / "it's, 100% deep"
    deep.parent.mkdir()
    async with EmbeddedServer(deep, durable=False) as urls:
        assert await value(urls.login, "SELECT 1") == 1
        assert find_running(deep) == urls
    discard(deep)


async def test_a_file_in_the_folders_place_is_explained(folder: Path) -> None:
    folder.write_text("something else")
    with pytest.raises(FolderUnusable, match="Not a directory"):
        await EmbeddedServer(folder).start()
    folder.unlink()


@as_root
async def test_a_private_parent_keeps_its_mode_and_the_data_lie_elsewhere(folder: Path) -> None:
    private = folder.parent / "private"
    private.mkdir(mode=0o700)
    async with EmbeddedServer(private / "postgres", durable=False) as urls:
        assert await value(urls.login, "SELECT 1") == 1
        assert private.stat().st_mode & 0o777 == 0o700
        home = (private / "postgres").resolve()
        assert home.is_relative_to("/var/lib/ai-agent-mesh")
    discard(private / "postgres")
    assert not home.exists()
    assert not (private / "postgres").exists()


@as_root
def test_programs_in_a_private_folder_are_copied_to_where_the_server_can_run_them(
    folder: Path,
) -> None:
    here = find_binaries()
    package = folder.parent / "private" / here.folder.parent.name
    package.mkdir(parents=True)
    package.parent.chmod(0o700)
    shutil.copytree(here.folder, package / here.folder.name)
    shutil.copytree(f"{here.folder.parent}.libs", f"{package}.libs")
    hidden = Binaries(package / here.folder.name, here.major)
    nobody = Account.of(pwd.getpwnam("nobody").pw_uid)
    assert not nobody.may("-x", hidden.program("postgres"))
    copied = reachable(hidden, nobody)
    assert copied.folder.is_relative_to("/var/lib/ai-agent-mesh")
    assert nobody.run([copied.program("initdb"), "-V"]).returncode == 0
    assert package.parent.stat().st_mode & 0o777 == 0o700
