"""What `mesh up` says once all of it stands: where it is, the first key, what to try next."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path


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

    @property
    def status(self) -> str:
        """The public page of the present state."""
        return f"{self.api}/status"

    @property
    def hint(self) -> str:
        """How to get another key; it names the folder where a command would not find it."""
        usual = Path(".mesh").absolute() == self.data
        where = "" if usual else f"MESH_DATA={shlex.quote(str(self.data))} "
        return f"{where}mesh key create --tenant {self.tenant.name} --user owner@localhost"

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
            f"  API         {standing.api}/v1",
            f"  reference   {standing.docs}",
            f"  status      {standing.status}",
            f"  data        {standing.data}",
            f"  tenant      {standing.tenant.name} ({standing.tenant.id})",
            "",
            *_key(standing),
            "",
            *_next(standing),
            "",
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
    return [
        "Try next:",
        f"  export MESH_KEY={standing.tenant.key or '...'}",
        f'  curl -H "Authorization: Bearer $MESH_KEY" {standing.api}/v1/agents',
        "  mesh --help",
    ]


def announce(standing: Standing, *, as_json: bool) -> None:
    """Print it: one line of JSON for a program, else a short page."""
    print(as_line(standing) if as_json else as_text(standing), flush=True)
