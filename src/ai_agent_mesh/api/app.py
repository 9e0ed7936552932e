"""The application behind the door: every capability's routes, the pages, and what stays public."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.params import SkipValidation

from ai_agent_mesh import web
from ai_agent_mesh.api import faults, openapi
from ai_agent_mesh.api.door import Door
from ai_agent_mesh.api.exchange import App
from ai_agent_mesh.api.table import judged_pairs
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.operations.alerts import routes as alerts
from ai_agent_mesh.operations.amendments import routes as amendments
from ai_agent_mesh.operations.credits import routes as booked
from ai_agent_mesh.operations.incidents import routes as incidents
from ai_agent_mesh.operations.maintenance import routes as maintenance
from ai_agent_mesh.operations.notices import routes as notices
from ai_agent_mesh.operations.objectives import routes as objectives
from ai_agent_mesh.operations.probe import routes as probe
from ai_agent_mesh.operations.status import routes as status
from ai_agent_mesh.plumbing.http import Unit
from ai_agent_mesh.product.agents import routes as agents
from ai_agent_mesh.product.governance import routes as governance
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.identity import routes as identity
from ai_agent_mesh.product.ledger import routes as ledger
from ai_agent_mesh.product.orchestration import routes as orchestration
from ai_agent_mesh.product.telemetry import routes as telemetry
from ai_agent_mesh.wiring import Mesh

MODULES = (
    identity, agents, governance, orchestration, telemetry, ledger, objectives, maintenance,
    incidents, alerts, booked, notices, amendments, status, probe,
)  # fmt: skip

AnyRequest = Request[Any, Any, Any]  # the types of a user, an auth and a state that we do not use


def handlers(module: ModuleType) -> Iterator[BaseRouteHandler]:
    """Return every route that a capability's `routes` module defines."""
    return (value for value in vars(module).values() if isinstance(value, BaseRouteHandler))


def build(mesh: Mesh) -> Door:
    """Return the whole ASGI application, door included, over a wired mesh."""
    mesh.metrics.expect(judged_pairs())
    routes = [handler for module in MODULES for handler in handlers(module)]
    inner = Litestar(
        route_handlers=[*routes, *web.routes(), *_public(mesh)],
        dependencies={
            "mesh": Provide(lambda: mesh, sync_to_thread=False),
            "unit": Provide(_unit, sync_to_thread=False),
            "principal": Provide(_principal, sync_to_thread=False),
        },
        exception_handlers={
            Fact: faults.of_fact,
            HTTPException: faults.of_http,
            Exception: faults.of_bug,
        },
        openapi_config=OpenAPIConfig(
            title="AI-Agent Mesh",
            version=mesh.version,
            path="/schema",
            render_plugins=(),
            use_handler_docstrings=True,
        ),
        logging_config=None,
        debug=False,
    )
    address = mesh.settings.public_url or "/"
    published = openapi.document(inner.openapi_schema.to_schema(), address=address)
    mesh.openapi = msgspec.json.encode(published)
    # Litestar types its messages; the door speaks plain ASGI.
    return Door(cast("App", inner), mesh)


# Litestar makes independent dependencies in a task each, which costs more than what they are; so
# each of these asks for the one before, and they are made one after the other.
def _unit(
    request: AnyRequest,
    principal: NamedDependency[SkipValidation[Principal]],  # noqa: ARG001
) -> Unit:
    return request.scope["mesh.exchange"].unit  # type: ignore[typeddict-item,no-any-return] # the door's


def _principal(
    request: AnyRequest,
    mesh: NamedDependency[SkipValidation[Any]],  # noqa: ARG001 - any value: it is not looked at
) -> Principal:
    return request.scope["mesh.exchange"].principal  # type: ignore[typeddict-item,no-any-return] # the door's


def _public(mesh: Mesh) -> list[BaseRouteHandler]:
    """Return what answers without a key: the metrics and the OpenAPI document."""

    @get("/metrics", media_type="application/openmetrics-text", include_in_schema=False)
    async def metrics(request: AnyRequest) -> Response[bytes]:
        body, kind = await mesh.measure(request.headers.get("accept", ""))
        return Response(body, media_type=kind)

    @get("/openapi.json", media_type=MediaType.JSON, include_in_schema=False)
    async def document() -> Response[bytes]:
        return Response(mesh.openapi, media_type=MediaType.JSON)

    return [metrics, document]
