"""What one try of a service brought."""

from dataclasses import dataclass

from ai_agent_mesh.sla import Service


@dataclass(frozen=True, slots=True)
class Finding:
    """How one try of a service ended; `reason` is null when all was well.

    The reason is the same for the same trouble; what differs each time stands in `detail`.
    """

    service: Service
    reason: str | None = None
    detail: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the service answered as it should."""
        return self.reason is None
