"""What governance asks of its surroundings."""

from typing import Protocol


class Caller(Protocol):
    """Who a request comes from, as identity knows them."""

    @property
    def actor_id(self) -> str:
        """Return the id of the user or the key."""
        ...

    @property
    def role(self) -> str:
        """Return their role in the tenant."""
        ...


class Decided(Protocol):
    """Counts decisions."""

    def policy_decision(self, action: str, *, allowed: bool, duration_us: int) -> None:
        """Count one."""
        ...
