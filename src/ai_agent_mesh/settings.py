"""The environment, read once: where things are, and what the operator allows."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from ai_agent_mesh.kernel.errors import Fault, Invalid

LOOPBACK = "127.0.0.0/8,::1/128"


class SettingsInvalid(Invalid):
    """The environment is not usable: {reason}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one process needs to know of its surroundings."""

    data: Path
    database_url: str | None = None
    migrate_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8420
    public_url: str | None = None
    runbooks_url: str | None = None
    playbook: Path | None = None
    redis_url: str | None = None
    otlp_endpoint: str | None = None
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    probe_key: str | None = None
    lease_s: float = 10
    log_level: str = "info"

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment; every mistake in it is reported at once.

        Raises:
            SettingsInvalid: a variable has a value that it cannot have.
        """
        faults: list[Fault] = []
        settings = cls(
            data=Path(environ.get("MESH_DATA") or ".mesh").absolute(),
            database_url=environ.get("DATABASE_URL") or None,
            migrate_url=environ.get("MESH_MIGRATE_URL") or environ.get("DATABASE_URL") or None,
            host=environ.get("MESH_HOST") or "127.0.0.1",
            port=int(_number(environ, "MESH_PORT", 8420, (0, 65535), faults)),
            public_url=environ.get("MESH_PUBLIC_URL") or None,
            runbooks_url=environ.get("MESH_RUNBOOKS_URL") or None,
            playbook=Path(environ["MESH_PLAYBOOK"]) if environ.get("MESH_PLAYBOOK") else None,
            redis_url=environ.get("REDIS_URL") or None,
            otlp_endpoint=environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
            allow=_networks(environ.get("MESH_ALLOW_ADDRESSES", ""), faults),
            probe_key=environ.get("MESH_PROBE_KEY") or None,
            lease_s=_number(environ, "MESH_LEASE_S", 10, (0.5, 3600), faults),
            log_level=_level(environ.get("MESH_LOG") or "info", faults),
        )
        if faults:
            reason = "; ".join(f"{fault.place} {fault.reason}" for fault in faults)
            raise SettingsInvalid(reason=reason, faults=faults)
        return settings

    @property
    def master_key(self) -> Path:
        """Return the file of the key that everything secret is sealed under."""
        return self.data / "keys" / "master.key"

    @property
    def restarts(self) -> Path:
        """Return the file in which `mesh up` counts how often it had to start a process again."""
        return self.data / "run" / "restarts.json"

    @property
    def ledger_key(self) -> Path:
        """Return the file of the key that signs the ledger."""
        return self.data / "keys" / "ledger.key"


def _number(
    environ: Mapping[str, str],
    name: str,
    usual: float,
    bounds: tuple[float, float],
    faults: list[Fault],
) -> float:
    text = environ.get(name)
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if bounds[0] <= value <= bounds[1]:
        return value
    faults.append(Fault(name, f"must be a number from {bounds[0]} to {bounds[1]}, not {text!r}"))
    return usual


def _networks(text: str, faults: list[Fault]) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError:
            reason = f"must list networks such as 10.0.0.0/8, not {part!r}"
            faults.append(Fault("MESH_ALLOW_ADDRESSES", reason))
    return tuple(found)


def _level(text: str, faults: list[Fault]) -> str:
    if text.lower() in {"debug", "info", "warning", "error"}:
        return text.lower()
    faults.append(Fault("MESH_LOG", f"must be debug, info, warning or error, not {text!r}"))
    return "info"
