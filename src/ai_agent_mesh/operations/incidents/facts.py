"""What can go wrong with incidents."""

from ai_agent_mesh.kernel.errors import Conflict, Denied, Invalid, NotFound


class IncidentInvalid(Invalid):
    """This cannot be said of an incident."""


class IncidentMissing(NotFound):
    """There is no incident {incident}."""


class PlatformAlone(Denied):
    """Only operators of the platform open, change or resolve incidents."""


class AlreadyResolved(Conflict):
    """{incident} was resolved at {at}; its stage moves no more."""


class NotResolved(Conflict):
    """{incident} is not resolved; its {field} is said when it is."""
