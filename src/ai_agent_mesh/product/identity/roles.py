"""Who may do what: the roles of a tenant and their permissions, as data."""

from enum import StrEnum
from typing import Final

from ai_agent_mesh.evidence import PLATFORM_TENANT, PROBE_TENANT

BUILT_IN_TENANTS: Final = frozenset({PLATFORM_TENANT, PROBE_TENANT})


class Role(StrEnum):
    """What a user or a service is in its tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    VIEWER = "viewer"


_LOOKS_ON: Final = frozenset(
    {
        "agents:read",
        "approvals:read",
        "incidents:read",
        "maintenance:read",
        "platform:read",
        "policies:read",
        "runs:read",
        "sla:read",
        "subscriptions:read",
        "telemetry:read",
        "tenant:read",
        "workflows:read",
    }
)
_RUNS: Final = _LOOKS_ON | {"agents:invoke", "policies:evaluate", "runs:control", "runs:start"}
_BUILDS: Final = _RUNS | {"agents:write", "workflows:write"}
_STANDS_WATCH: Final = _RUNS | {
    "approvals:decide",
    "ledger:read",
    "platform:write",
    "subscriptions:write",
}
_AUDITS: Final = _LOOKS_ON | {"keys:read", "ledger:read", "users:read"}
_GOVERNS: Final = frozenset({"keys:write", "platform:tenants", "policies:write", "users:write"})
_MANAGES: Final = _BUILDS | _STANDS_WATCH | _AUDITS | _GOVERNS

#: Permissions whose first word is `platform` count for principals of the tenant `platform` alone.
PERMISSIONS: Final[dict[Role, frozenset[str]]] = {
    Role.OWNER: _MANAGES | {"tenant:write"},
    Role.ADMIN: _MANAGES,
    Role.DEVELOPER: _BUILDS,
    Role.OPERATOR: _STANDS_WATCH,
    Role.AUDITOR: _AUDITS,
    Role.VIEWER: _LOOKS_ON,
}


def permits(role: Role, permission: str, *, platform: bool = False) -> bool:
    """Tell whether a role holds a permission; `platform` says that its tenant is `platform`.

    >>> permits(Role.ADMIN, "platform:tenants"), permits(Role.ADMIN, "agents:write")
    (False, True)
    """
    if permission.startswith("platform:") and not platform:
        return False
    return permission in PERMISSIONS[role]


def may_grant(own: Role, role: Role) -> bool:
    """Tell whether a holder of `own` may give `role`, or touch who has it: never above their own.

    >>> may_grant(Role.ADMIN, Role.OWNER), may_grant(Role.ADMIN, Role.DEVELOPER)
    (False, True)
    """
    return PERMISSIONS[role] <= PERMISSIONS[own]
