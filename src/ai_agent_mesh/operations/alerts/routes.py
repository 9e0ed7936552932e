"""The platform's alerts over HTTP, for its operators."""

from litestar import get

from ai_agent_mesh.operations.alerts.store import AlertStore
from ai_agent_mesh.operations.alerts.views import AlertView, view
from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged


@get("/v1/alerts", summary="List alerts, the newest first", tags=["alerts"])
async def list_alerts(unit: Work, limit: Limit = None, cursor: Cursor = None) -> Paged[AlertView]:
    """Return a page of what is pending, firing, or was; only the platform's operators have any."""
    page = page_of(limit, cursor)
    found = await AlertStore(await unit.begin()).page(page)
    return paged([view(alert) for alert in found], page, lambda alert: alert.id)
