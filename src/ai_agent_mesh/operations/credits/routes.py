"""A tenant's closed months and booked credits over HTTP."""

from litestar import get

from ai_agent_mesh.operations.credits.model import Closing
from ai_agent_mesh.operations.credits.store import ClosingStore
from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged


@get("/v1/sla/credits", summary="List closed months and their credits", tags=["service levels"])
async def list_credits(unit: Work, limit: Limit = None, cursor: Cursor = None) -> Paged[Closing]:
    """Return a page of closings, newest first; what is booked for a month is their sum."""
    page = page_of(limit, cursor)
    found = await ClosingStore(await unit.begin()).page(page)
    return paged(found, page, lambda closing: closing.id)
