"""What the door itself has to say when it lets a request not through."""

from ai_agent_mesh.kernel.errors import Denied, Exhausted, Invalid, NotFound, Unavailable


class RouteMissing(NotFound):
    """Nothing answers at {path}."""


class MethodNotAllowed(NotFound):
    """{path} does not answer to {method}."""


class RateLimited(Exhausted):
    """The tier's {limit} requests a minute are used up; try again in {retry_after_s} s."""


class PermissionMissing(Denied):
    """This takes the permission {permission}, which the role {role} does not have."""


class RequestInvalid(Invalid):
    """The request does not fit this route: {reason}"""


class UnsupportedMediaType(Invalid):
    """This content type is not accepted here."""


class Unexpected(Unavailable):
    """Something failed inside the platform."""
