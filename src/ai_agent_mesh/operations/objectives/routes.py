"""A tenant's own service levels over HTTP."""

from collections.abc import Sequence

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.objectives.bundling import Bundles
from ai_agent_mesh.operations.objectives.console import SLOS_POLICY, slos_page
from ai_agent_mesh.operations.objectives.page import POLICY
from ai_agent_mesh.operations.objectives.ports import Wiring
from ai_agent_mesh.operations.objectives.standing import Standings
from ai_agent_mesh.operations.statements import Slo, Statement, as_text, slos_as_text
from ai_agent_mesh.plumbing.http import Stream, Work
from ai_agent_mesh.product.identity import Principal

Wired = NamedDependency[SkipValidation[Wiring]]
Caller = NamedDependency[Principal]

_BUNDLE = "application/x-ndjson"


class Slos(msgspec.Struct, frozen=True):
    """Every objective of the running month."""

    items: Sequence[Slo]
    next_cursor: None = None


@get("/v1/slos", summary="Read the objectives of the running month", tags=["service levels"])
async def list_slos(
    request: Request[object, object, State], mesh: Wired, principal: Caller
) -> Response[Slos] | Response[str]:
    """Answer with attainment, budget left, burn and the month's end, objective by objective.

    As JSON or text; as HTML with drawings of how each budget went.
    """
    standings = Standings(mesh.operations, mesh.playbook, mesh.clock)
    form = request.accept.best_match(["application/json", "text/plain", "text/html"])
    if form == "text/html":
        page = slos_page(await standings.standing(principal.tenant_id))
        headers = {"Content-Security-Policy": SLOS_POLICY}
        return Response(page, media_type="text/html", headers=headers)
    items = await standings.slos(principal.tenant_id)
    if form == "text/plain":
        return Response(slos_as_text(items), media_type="text/plain")
    return Response(Slos(items))


@get(
    "/v1/sla/statements/{month:str}",
    summary="Read the statement of a month",
    tags=["service levels"],
)
async def get_statement(
    request: Request[object, object, State],
    mesh: Wired,
    unit: Work,
    principal: Caller,
    month: FromPath[str],
) -> Response[Statement] | Response[str]:
    """Answer with the signed statement as JSON or text, or with its evidence: a page, or a bundle.

    A bundle comes as a stream, with all its entries. A page is sent whole: where there are too many
    for it, it carries the signed minutes alone.
    """
    bundles = Bundles(mesh.operations, mesh.playbook, mesh.clock, mesh.signer)
    asked = Month.parse(month)
    form = request.accept.best_match(["application/json", "text/plain", "text/html", _BUNDLE])
    if form == "text/html":
        page = await bundles.page(principal.tenant_id, asked)
        headers = {"Content-Security-Policy": POLICY}
        return Response(page, media_type="text/html", headers=headers)
    if form == _BUNDLE:
        unit.stream = await Stream.begun(bundles.lines(principal.tenant_id, asked))
        return Response("", media_type=_BUNDLE)
    statement = await bundles.signed(principal.tenant_id, asked)
    if form == "text/plain":
        return Response(as_text(statement), media_type="text/plain")
    return Response(statement)
