"""Knows who is calling, for which tenant, what they may do, and how often."""

from ai_agent_mesh.evidence import PLATFORM_TENANT, PROBE_TENANT
from ai_agent_mesh.product.identity.accounts import (
    Account,
    bootstrap,
    keys_in,
    open_account,
    renew_probe_key,
)
from ai_agent_mesh.product.identity.allowances import Allowance, Allowances
from ai_agent_mesh.product.identity.authenticator import Authenticator
from ai_agent_mesh.product.identity.facts import KeyRefused
from ai_agent_mesh.product.identity.headers import key_headers, rate_headers
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
    Role,
    may_grant,
    permits,
)
from ai_agent_mesh.product.identity.rules import KeyTerms, key_terms
from ai_agent_mesh.product.identity.scope import scoped
from ai_agent_mesh.product.identity.store import fees_by_currency
from ai_agent_mesh.product.identity.tenants import Tenants, find_tenant
from ai_agent_mesh.product.identity.users import Users
from ai_agent_mesh.product.identity.views import (
    Allowed,
    IssuedView,
    KeyView,
    OpenedView,
    TenantView,
    issued_view,
    key_view,
    tenant_view,
)

__all__ = [
    "BUILT_IN_TENANTS",
    "PERMISSIONS",
    "PLATFORM_TENANT",
    "PROBE_TENANT",
    "Account",
    "Allowance",
    "Allowances",
    "Allowed",
    "ApiKey",
    "Authenticator",
    "IssuedKey",
    "IssuedView",
    "KeyRefused",
    "KeyTerms",
    "KeyView",
    "Keys",
    "OpenedView",
    "Principal",
    "Role",
    "Tenant",
    "TenantHook",
    "TenantView",
    "Tenants",
    "Terms",
    "User",
    "Users",
    "bootstrap",
    "fees_by_currency",
    "find_tenant",
    "issued_view",
    "key_hash",
    "key_headers",
    "key_terms",
    "key_view",
    "keys_in",
    "may_grant",
    "open_account",
    "permits",
    "rate_headers",
    "renew_probe_key",
    "scoped",
    "tenant_view",
]
