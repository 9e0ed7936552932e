"""Moments as options give them."""

from datetime import UTC, datetime

from ai_agent_mesh.kernel.errors import Fault, Invalid


class MalformedMoment(Invalid):
    """{option} must be a moment with its zone, such as 2026-11-05T10:00:00Z."""


def moment(option: str, text: str) -> datetime:
    """Return the moment that an option names, in UTC.

    Raises:
        MalformedMoment: it is none, or has no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        fault = Fault(option, "must be a moment with its zone")
        raise MalformedMoment(option=f"--{option}", faults=[fault])
    return at.astimezone(UTC)
