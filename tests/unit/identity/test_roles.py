"""The permission table is complete, and no role climbs over another."""

import itertools

import pytest

from ai_agent_mesh.api.table import ROUTES
from ai_agent_mesh.product.identity import PERMISSIONS, Principal, Role, may_grant, permits

TOKENS = frozenset(
    [
        "agents:read",
        "agents:write",
        "agents:invoke",
        "workflows:read",
        "workflows:write",
        "runs:read",
        "runs:start",
        "runs:control",
        "approvals:read",
        "approvals:decide",
        "maintenance:read",
        "incidents:read",
        "subscriptions:read",
        "subscriptions:write",
        "policies:read",
        "policies:write",
        "policies:evaluate",
        "telemetry:read",
        "sla:read",
        "ledger:read",
        "keys:read",
        "keys:write",
        "users:read",
        "users:write",
        "tenant:read",
        "tenant:write",
        "platform:tenants",
        "platform:read",
        "platform:write",
    ]
)


def test_every_role_has_its_row_and_every_permission_its_holder() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert frozenset().union(*PERMISSIONS.values()) == TOKENS
    assert PERMISSIONS[Role.OWNER] == TOKENS


def test_every_permission_that_a_route_asks_for_is_in_the_table() -> None:
    assert {route.permission for route in ROUTES} - {None} <= TOKENS


@pytest.mark.parametrize("role", Role)
def test_nobody_outside_the_platform_holds_a_platform_permission(role: Role) -> None:
    held = {p for p in TOKENS if permits(role, p)}
    assert not {p for p in held if p.startswith("platform:")}
    assert held == {p for p in PERMISSIONS[role] if not p.startswith("platform:")}
    assert {p for p in TOKENS if permits(role, p, platform=True)} == PERMISSIONS[role]


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.VIEWER])
def test_those_who_look_on_change_nothing(role: Role) -> None:
    assert {permission.partition(":")[2] for permission in PERMISSIONS[role]} == {"read"}


def test_only_owners_and_admins_give_access() -> None:
    for role in Role:
        gives = {"keys:write", "users:write", "policies:write"} & PERMISSIONS[role]
        assert bool(gives) == (role in {Role.OWNER, Role.ADMIN})


def test_granting_never_raises_anybody_above_the_one_who_grants() -> None:
    for own, role in itertools.product(Role, Role):
        assert may_grant(own, role) == (PERMISSIONS[role] <= PERMISSIONS[own])
    assert not may_grant(Role.ADMIN, Role.OWNER)
    assert not may_grant(Role.DEVELOPER, Role.OPERATOR)
    assert not may_grant(Role.OPERATOR, Role.DEVELOPER)


def test_a_principal_is_of_the_platform_by_its_tenant_alone() -> None:
    def principal(tenant_id: str) -> Principal:
        return Principal(tenant_id, "enterprise", "usr_1", None, Role.OWNER)

    assert principal("platform").permits("platform:tenants")
    assert not principal("probe").permits("platform:tenants")
    assert not principal("tnt_platform").permits("platform:tenants")


def test_the_probe_can_do_what_it_must() -> None:
    needed = "agents:read policies:evaluate runs:start runs:read workflows:write telemetry:read"
    assert set(needed.split()) <= PERMISSIONS[Role.DEVELOPER]
