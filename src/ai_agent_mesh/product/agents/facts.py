"""What can go wrong with agents."""

from ai_agent_mesh.kernel.errors import Conflict, Invalid, NotFound
from ai_agent_mesh.plumbing.http.outbound import UpstreamFailed


class AgentMissing(NotFound):
    """There is no agent {agent}."""


class AgentNameTaken(Conflict):
    """There is an agent named {name} already."""


class AgentInvalid(Invalid):
    """The agent cannot be registered like this."""


class InvocationInvalid(Invalid):
    """The invocation is not one that can be made."""


class CardUnusable(UpstreamFailed):
    """The agent card at {url} cannot be used: {reason}."""


class AgentBusy(UpstreamFailed):
    """The agent at {host} answered {status}; it can be asked again."""


class AgentRefused(UpstreamFailed):
    """The agent at {host} refused: {reason}."""


class AgentFailed(UpstreamFailed):
    """The agent at {host} failed: {reason}."""


class InvocationTimedOut(UpstreamFailed):
    """The agent {agent} did not answer within {seconds} s."""
