"""Corrections over HTTP: made by the platform's operators, read by the tenant concerned."""

from typing import Protocol

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.amendments.model import AmendmentDraft, AmendmentView
from ai_agent_mesh.operations.amendments.service import Amendments
from ai_agent_mesh.operations.amendments.store import AmendmentStore
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import Principal


class Wiring(Protocol):
    """What the routes take from the wired application."""

    operations: Database
    playbook: Playbook
    clock: Clock


Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]
TAGS = ["service levels"]


@post("/v1/amendments", summary="Correct whose fault a call was", tags=TAGS)
async def amend(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[AmendmentDraft]
) -> AmendmentView:
    """Add a correction to the ledger, with its author and reason; the call stays as it is."""
    unit.object = data.entry
    amendments = Amendments(mesh.operations, mesh.playbook, mesh.clock)
    return await amendments.amend(await unit.begin(), data, principal.actor_id)


@get("/v1/amendments", summary="List the tenant's corrected calls, newest first", tags=TAGS)
async def list_amendments(
    unit: Work, limit: Limit = None, cursor: Cursor = None
) -> Paged[AmendmentView]:
    """Return a page of corrections of the tenant's own calls."""
    page = page_of(limit, cursor)
    found = await AmendmentStore(await unit.begin()).page(page)
    return paged(found, page, lambda one: one.id)
