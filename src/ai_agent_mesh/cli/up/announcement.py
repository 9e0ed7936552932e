"""What `mesh up` says once all of it stands: where it is, the first key, what to try next."""

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ai_agent_mesh.settings import LOOPBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTenant:
    """The tenant to begin with, and its owner's key, which exists in clear only here."""

    id: str
    name: str
    #: None on every start but the very first: only a hash of it was kept.
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands, and where."""

    api: str
    data: Path
    tenant: FirstTenant
    pids: dict[str, int | None]
    #: Networks that agents may be called on although they are private; comma-separated, may be "".
    allowed: str

    @property
    def status(self) -> str:
        """The public page of the present state."""
        return f"{self.api}/status"

    @property
    def hint(self) -> str:
        """How to get another key; it names the folder where a command would not find it."""
        where = "" if self._usual else f"MESH_DATA={shlex.quote(str(self.data))} "
        command = shlex.quote(_command())
        return f"{where}{command} key create --tenant {self.tenant.name} --user owner@localhost"

    @property
    def environment(self) -> dict[str, str]:
        """What to export so that the commands shown work as they stand, in any folder."""
        given = {"MESH_KEY": self.tenant.key or "...", "MESH_TENANT": self.tenant.name}
        if not self._usual:
            given["MESH_DATA"] = shlex.quote(str(self.data))
        if _command() != "mesh":
            given["PATH"] = f"{shlex.quote(str(_programs()))}:$PATH"
        return given

    @property
    def _usual(self) -> bool:
        return Path(".mesh").absolute() == self.data

    @property
    def docs(self) -> str:
        """The page to browse the API."""
        return f"{self.api}/docs"


def as_line(standing: Standing) -> str:
    """Return all of it as one line of JSON."""
    tenant = standing.tenant
    line = {
        "api": standing.api,
        "status": standing.status,
        "docs": standing.docs,
        "tenant": tenant.id,
        "tenant_name": tenant.name,
        "key": tenant.key,
        "data": str(standing.data),
        "pids": standing.pids,
    }
    if tenant.key is None:
        line["hint"] = standing.hint
    return json.dumps(line)


def as_text(standing: Standing) -> str:
    """Return all of it for a person."""
    return "\n".join(
        [
            "",
            f"AI-Agent Mesh is up at {standing.api}",
            "",
            f"  status page  {standing.status}",
            f"  API          {standing.api}/v1, described at {standing.docs}",
            f"  tenant       {standing.tenant.name} ({standing.tenant.id})",
            f"  data         {standing.data}, logs in {standing.data / 'logs'}",
            "",
            *_key(standing),
            "",
            *_next(standing),
            "",
            _reach(standing.allowed),
            "Ctrl-C stops everything; the data stay.",
        ]
    )


def _key(standing: Standing) -> list[str]:
    if standing.tenant.key is None:
        return [
            "The first key was shown at the first start. For another one:",
            f"  {standing.hint}",
        ]
    return [
        "The first key, with the owner's rights. It is shown this once and kept nowhere:",
        f"  {standing.tenant.key}",
    ]


def _next(standing: Standing) -> list[str]:
    exports = " ".join(f"{name}={value}" for name, value in standing.environment.items())
    return [
        "Try next, in another terminal (README.md has a tour of five minutes):",
        f"  export {exports}",
        f'  curl -H "Authorization: Bearer $MESH_KEY" {standing.api}/v1/agents',
        "  mesh slo      what was promised for this month, and what was kept",
        "  mesh --help   everything else",
    ]


def _reach(allowed: str) -> str:
    if allowed == LOOPBACK:
        return (
            "Agents on this machine may be called: on the embedded database loopback addresses\n"
            "are allowed. Other private networks are refused until MESH_ALLOW_ADDRESSES names them."
        )
    if allowed:
        return f"Of private networks, agents on these may be called: {allowed}."
    return "Agents on private networks are refused until MESH_ALLOW_ADDRESSES names them."


def _programs() -> Path:
    """Return the folder of the installed programs, `mesh` among them."""
    return Path(sys.executable).parent


def _command() -> str:
    """Return what to type for `mesh` here: the bare word where the shell finds this very one."""
    ours, found = _programs() / "mesh", shutil.which("mesh")
    if found and Path(found).resolve() == ours.resolve():
        return "mesh"
    return os.path.relpath(ours) if ours.is_relative_to(Path.cwd()) else str(ours)


def announce(standing: Standing, *, as_json: bool) -> None:
    """Print it: one line of JSON for a program, else a short page."""
    print(as_line(standing) if as_json else as_text(standing), flush=True)
