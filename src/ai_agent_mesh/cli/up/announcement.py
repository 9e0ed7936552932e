"""What `mesh up` says once all of it stands: where it is, the first key, what to try next."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTenant:
    """The tenant to begin with, and its owner's key, which exists in clear only here."""

    id: str
    name: str
    #: None on every start but the very first: only a hash of it was kept.
    key: str | None

    @property
    def hint(self) -> str:
        """Tell how to get another key."""
        return f"mesh key create --tenant {self.name} --user owner@{self.name}.example"


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
        line["hint"] = tenant.hint
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
            *_key(standing.tenant),
            "",
            *_next(standing),
            "",
            "Ctrl-C stops everything; the data stay.",
        ]
    )


def _key(tenant: FirstTenant) -> list[str]:
    if tenant.key is None:
        return ["The first key was shown at the first start. For another one:", f"  {tenant.hint}"]
    return [
        "The first key, with the owner's rights. It is shown this once and kept nowhere:",
        f"  {tenant.key}",
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
