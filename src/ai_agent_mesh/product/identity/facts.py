"""What can go wrong with tenants, users, keys and allowances."""

from ai_agent_mesh.kernel.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    Unauthenticated,
)


class KeyRefused(Unauthenticated):
    """Send a valid API key as `Authorization: Bearer mesh_…`."""


class RoleAboveOwn(Denied):
    """The role {own} may not grant or change the role {role}."""


class TenantMissing(NotFound):
    """There is no tenant {tenant}."""


class UserMissing(NotFound):
    """There is no user {user}."""


class KeyMissing(NotFound):
    """There is no key {key}."""


class TenantNameTaken(Conflict):
    """There is a tenant named {name} already."""


class EmailTaken(Conflict):
    """There is a user with the address {email} already."""


class BuiltInTenant(Conflict):
    """The tenant {tenant} is built in and keeps its name and terms."""


class LastOwner(Conflict):
    """A tenant keeps at least one owner: make somebody else an owner first."""


class TooManyLiveKeys(Conflict):
    """{owner} has {live} live keys already, the most there may be: revoke one first."""


class TenantInvalid(Invalid):
    """The tenant cannot be like this."""


class UserInvalid(Invalid):
    """The user cannot be like this."""


class KeyInvalid(Invalid):
    """The key cannot be like this."""
