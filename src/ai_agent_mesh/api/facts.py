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
    """This content type is not accepted here: send the header Content-Type: application/json."""


class MalformedRequest(Invalid):
    """This is not a request of HTTP/1.1."""


class HeaderRepeated(Invalid):
    """The header {header} may be sent once only."""


class HeadersTooLarge(Invalid):
    """The headers are more than {most} or larger than {limit_bytes} bytes together."""


class TooManyStrangers(Exhausted):
    """Too many unknown keys come from this address; try again in {retry_after_s} s."""


class StreamsTaken(Exhausted):
    """{most} long answers are on their way to this tenant already; read one to its end first."""


class Unexpected(Unavailable):
    """Something failed inside the platform."""
