"""What is owed for a month that fell short: closed by itself, booked once, corrected by a difference."""  # noqa: E501

from ai_agent_mesh.operations.credits.model import Booking, Closing
from ai_agent_mesh.operations.credits.rules import booked_in
from ai_agent_mesh.operations.credits.service import (
    Closed,
    CreditDiffers,
    Credits,
    MonthClosed,
    NothingJudged,
    NotOver,
)
from ai_agent_mesh.operations.credits.store import ClosingStore
from ai_agent_mesh.operations.credits.text import as_lines

__all__ = [
    "Booking",
    "Closed",
    "Closing",
    "ClosingStore",
    "CreditDiffers",
    "Credits",
    "MonthClosed",
    "NotOver",
    "NothingJudged",
    "as_lines",
    "booked_in",
]
