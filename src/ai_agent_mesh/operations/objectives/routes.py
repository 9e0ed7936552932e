"""A tenant's own service levels over HTTP."""

from collections.abc import Sequence

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.objectives.bundling import Bundles
from ai_agent_mesh.operations.objectives.page import CARRIED_ENTRIES, POLICY
from ai_agent_mesh.operations.objectives.ports import Wiring
from ai_agent_mesh.operations.objectives.standing import Standings
from ai_agent_mesh.operations.statements import Slo, Statement, as_text
from ai_agent_mesh.product.identity import Principal

Wired = NamedDependency[SkipValidation[Wiring]]
Caller = NamedDependency[Principal]

_BUNDLE = "application/x-ndjson"


class Slos(msgspec.Struct, frozen=True):
    """Every objective of the running month."""

    items: Sequence[Slo]
    next_cursor: None = None


@get("/v1/slos", summary="Read the objectives of the running month", tags=["service levels"])
async def list_slos(mesh: Wired, principal: Caller) -> Slos:
    """Answer with attainment and what is left of the error budget, objective by objective."""
    return Slos(await _standings(mesh).slos(principal.tenant_id))


@get(
    "/v1/sla/statements/{month:str}",
    summary="Read the statement of a month",
    tags=["service levels"],
)
async def get_statement(
    request: Request[object, object, State], mesh: Wired, principal: Caller, month: FromPath[str]
) -> Response[Statement] | Response[str]:
    """Answer with the signed statement as JSON or text, or with its evidence: a page, or a bundle.

    An answer is sent whole, so evidence of too many entries is the signed minutes alone.
    """
    bundles = Bundles(mesh.operations, mesh.playbook, mesh.clock, mesh.signer)
    asked = Month.parse(month)
    form = request.accept.best_match(["application/json", "text/plain", "text/html", _BUNDLE])
    if form == "text/html":
        page = await bundles.page(principal.tenant_id, asked)
        headers = {"Content-Security-Policy": POLICY}
        return Response(page, media_type="text/html", headers=headers)
    if form == _BUNDLE:
        lines = bundles.lines(principal.tenant_id, asked, entries=CARRIED_ENTRIES)
        return Response("".join([line.decode() async for line in lines]), media_type=_BUNDLE)
    statement = await bundles.signed(principal.tenant_id, asked)
    if form == "text/plain":
        return Response(as_text(statement), media_type="text/plain")
    return Response(statement)


def _standings(mesh: Wired) -> Standings:
    return Standings(mesh.operations, mesh.playbook, mesh.clock)
