"""What can go wrong with policies."""

from ai_agent_mesh.kernel.errors import Conflict, Denied, Invalid, NotFound


class PolicyMissing(NotFound):
    """There is no policy {name}."""


class PolicyInvalid(Invalid):
    """The policy is not one of this mesh's schema."""


class EndpointMalformed(Invalid):
    """{url} is not an absolute http or https address with a plain path."""


class TooManyPolicies(Conflict):
    """A tenant may have {most} policies."""


class Forbidden(Denied):
    """{principal} may not {action} {resource}: {why}."""
