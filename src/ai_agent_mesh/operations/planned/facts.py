"""What can go wrong with maintenance."""

from ai_agent_mesh.kernel.errors import Conflict, Denied, Invalid, NotFound


class MaintenanceInvalid(Invalid):
    """This maintenance cannot be announced as it is."""


class MaintenanceMissing(NotFound):
    """There is no maintenance {maintenance}."""


class PlatformAlone(Denied):
    """Only operators of the platform announce or cancel maintenance."""


class AlreadyCancelled(Conflict):
    """{maintenance} was cancelled at {at}."""


class AlreadyOver(Conflict):
    """{maintenance} ended at {at}; what is over cannot be cancelled."""
