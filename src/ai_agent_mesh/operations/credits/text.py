"""A closing as lines of text for a person."""

from collections.abc import Iterator

from ai_agent_mesh.operations.credits.model import Closing


def as_lines(closing: Closing, *, new: bool = True) -> Iterator[str]:
    """Yield what was closed, by which figures, and what was booked."""
    what = closing.month or (
        f"{closing.since:%F %R} to {closing.until:%F %R} UTC (no calendar month: closed the same way)"  # noqa: E501
    )
    verb = "corrected" if closing.ordinal else "closed"
    yield f"{what} {verb}{'' if new else ' before; nothing has changed'}: {closing.id}"
    for part in closing.parts:
        credit = "no credits" if part.credit_percent is None else f"credit {part.credit_percent}%"
        reached = part.availability or "nothing judged"
        yield f"  {part.tier}: {reached} of {part.objective} promised, {credit}"
    for booking in closing.booked:
        amount = f"{booking.amount:f} {booking.currency}"
        yield f"  booked {amount} (owed in all, exactly {booking.owed})"
    if not closing.booked:
        yield "  booked nothing"
    yield f"  ledger entry {closing.entry}"
