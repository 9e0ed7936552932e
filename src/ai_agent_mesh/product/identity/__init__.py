"""Knows who is calling, for which tenant, what they may do, and how often."""

from ai_agent_mesh.product.identity.allowances import Allowance, Allowances
from ai_agent_mesh.product.identity.authenticator import Authenticator
from ai_agent_mesh.product.identity.facts import AllowanceSpent, KeyRefused, PermissionMissing
from ai_agent_mesh.product.identity.keys import Keys, key_hash
from ai_agent_mesh.product.identity.model import (
    ApiKey,
    IssuedKey,
    Principal,
    Tenant,
    TenantHook,
    Terms,
    User,
)
from ai_agent_mesh.product.identity.roles import (
    BUILT_IN_TENANTS,
    PERMISSIONS,
    PLATFORM_TENANT,
    PROBE_TENANT,
    Role,
    may_grant,
    permits,
)
from ai_agent_mesh.product.identity.rules import KeyTerms, key_terms
from ai_agent_mesh.product.identity.scope import scoped
from ai_agent_mesh.product.identity.tenants import Tenants
from ai_agent_mesh.product.identity.users import Users

__all__ = [
    "BUILT_IN_TENANTS",
    "PERMISSIONS",
    "PLATFORM_TENANT",
    "PROBE_TENANT",
    "Allowance",
    "AllowanceSpent",
    "Allowances",
    "ApiKey",
    "Authenticator",
    "IssuedKey",
    "KeyRefused",
    "KeyTerms",
    "Keys",
    "PermissionMissing",
    "Principal",
    "Role",
    "Tenant",
    "TenantHook",
    "Tenants",
    "Terms",
    "User",
    "Users",
    "key_hash",
    "key_terms",
    "may_grant",
    "permits",
    "scoped",
]
