"""What is looked at without a database: Python, programs, folders, keys, the port, Redis."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator

import httpx
from limits.aio.storage import RedisStorage
from limits.errors import ConfigurationError

from ai_agent_mesh import playbook
from ai_agent_mesh.cli.doctor.finding import Finding, State, judged, passed
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.operations.status import ROOM_BYTES
from ai_agent_mesh.plumbing.postgres.embedded import embedded_version
from ai_agent_mesh.plumbing.processes import free_port
from ai_agent_mesh.settings import Settings

_PYTHON = (3, 11)
#: The least free space that is not remarked on.
_ROOMY_BYTES = 2**30


def python() -> Finding:
    """Look at the interpreter."""
    wanted = ".".join(map(str, _PYTHON))
    found = f"{platform.python_version()} at {sys.executable}"
    return judged("python", found, good=sys.version_info >= _PYTHON, mend=f"Install {wanted}.")


def programs(settings: Settings) -> Finding:
    """Look for PostgreSQL's programs, which only the embedded database needs."""
    if settings.database_url:
        return passed("postgresql programs", "not needed: DATABASE_URL is set")
    try:
        return passed("postgresql programs", embedded_version())
    except Fact as fact:
        return Finding("postgresql programs", State.FAIL, fact.detail, "Run `make install`.")


def folder(settings: Settings) -> Finding:
    """Look at the data folder: present, ours to write, with room left."""
    path = settings.data
    if not path.exists():
        return Finding("data folder", State.WARN, f"{path} is missing", "`mesh up` makes it.")
    if not os.access(path, os.W_OK | os.X_OK):
        owner = path.stat().st_uid
        mend = "Run as its owner, or name another folder with MESH_DATA."
        return Finding("data folder", State.FAIL, f"{path} belongs to user id {owner}", mend)
    free = shutil.disk_usage(path).free
    mend = "Free some space on its disk: what cannot be kept is refused."
    if free < ROOM_BYTES:
        return Finding("data folder", State.FAIL, f"{path}: its disk is full", mend)
    found = f"{path}, {free / 2**30:.1f} GiB free"
    return judged("data folder", found, good=free >= _ROOMY_BYTES, mend=mend, worst=State.WARN)


def keys(settings: Settings) -> Iterator[Finding]:
    """Look at who may read the key files."""
    for path in (settings.master_key, settings.ledger_key):
        name = f"key file {path.name}"
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            mend = "The first start makes it; restore it from a backup where data exist."
            yield Finding(name, State.WARN, f"{path} is missing", mend)
        except OSError as error:
            yield Finding(name, State.FAIL, f"{path}: {error.strerror}", "Run as its owner.")
        else:
            closed = not mode & (stat.S_IRWXG | stat.S_IRWXO)
            yield judged(name, f"mode {mode:04o}", good=closed, mend=f"chmod 600 {path}")


def rules(settings: Settings) -> Finding:
    """Look at the playbook in force."""
    try:
        digest = playbook.load(settings.playbook).digest
    except (Fact, OSError) as error:
        return Finding("playbook", State.FAIL, str(error), "See `mesh playbook check`.")
    return passed("playbook", f"{settings.playbook or 'the built-in one'} ({digest[:12]})")


async def port(settings: Settings) -> Finding:
    """Look whether the port is free, or answered by the mesh itself."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        free_port(settings.host, settings.port)
    except Fact as fact:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                answer = await client.get(f"http://{host}:{settings.port}/livez")
            except httpx.HTTPError:
                answer = None
        if answer is not None and answer.is_success:
            return passed("port", f"{settings.port} is answered by a running mesh")
        return Finding("port", State.FAIL, fact.detail, "Or set MESH_PORT.")
    return passed("port", f"{settings.port} is free")


async def redis(settings: Settings) -> Finding | None:
    """Look whether Redis answers, where one is named."""
    if not settings.redis_url:
        return None
    mend = "Without it each process counts limits alone; mend it, or unset REDIS_URL."
    try:
        answers = await RedisStorage(f"async+{settings.redis_url}", connect_timeout=5).check()
    except (ConfigurationError, OSError, ValueError) as error:
        return Finding("redis", State.WARN, str(error), mend)
    found = "answers" if answers else "does not answer"
    return judged("redis", found, good=answers, mend=mend, worst=State.WARN)
