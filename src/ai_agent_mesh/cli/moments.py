"""Moments as options give them."""

import re
from datetime import UTC, datetime

from ai_agent_mesh.kernel.errors import Fault, Invalid


class MalformedMoment(Invalid):
    """{option} must be a day, or a moment with its zone, such as 2026-11-05T10:00:00Z."""


def moment(option: str, text: str) -> datetime:
    """Return the moment that an option names, in UTC; of a day alone its first.

    >>> moment("since", "2026-11-05").isoformat()
    '2026-11-05T00:00:00+00:00'
    >>> moment("since", "2026-11-05t10:00:00z").isoformat()  # RFC 3339 allows small letters
    '2026-11-05T10:00:00+00:00'

    Raises:
        MalformedMoment: it is none, or has no zone.
    """
    day_alone = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)
    try:
        at = datetime.fromisoformat(f"{text}T00:00Z" if day_alone else text.upper())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        fault = Fault(option, "must be a day, or a moment with its zone")
        raise MalformedMoment(option=f"--{option}", faults=[fault])
    return at.astimezone(UTC)
