"""Agents over HTTP: registered, read, listed, changed, removed, their card read again, invoked."""

from typing import Annotated, Protocol

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import (
    FromPath,
    FromQuery,
    HeaderParameter,
    JSONBody,
    QueryParameter,
    SkipValidation,
)

from ai_agent_mesh.plumbing.crypto import Vault
from ai_agent_mesh.plumbing.http import (
    IfMatch,
    Paged,
    Unit,
    Work,
    page_of,
    paged,
    tag,
)
from ai_agent_mesh.product.agents.invoker import Invoker
from ai_agent_mesh.product.agents.model import Agent, Asker, Change, Draft
from ai_agent_mesh.product.agents.service import Agents, Registrar
from ai_agent_mesh.product.agents.views import AgentView, Invoke, Invoked, filters_of, view
from ai_agent_mesh.product.governance import ActorRef
from ai_agent_mesh.product.identity import Principal


class Wiring(Protocol):
    """The parts of the wired application that the routes use."""

    @property
    def vault(self) -> Vault:
        """Return what seals credentials."""
        ...

    @property
    def registrar(self) -> Registrar:
        """Return who registers agents."""
        ...

    @property
    def invoker(self) -> Invoker:
        """Return the way to agents."""
        ...


Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]
SentKey = Annotated[
    str | None, HeaderParameter(name="Idempotency-Key", description="Passed on to the agent")
]
Label = Annotated[
    list[str] | None, QueryParameter(name="label", description="name=value; may be repeated")
]


@post("/v1/agents", summary="Register an agent")
async def register_agent(unit: Work, mesh: Wired, data: JSONBody[Draft]) -> Response[AgentView]:
    """Return the new agent; the card of an a2a agent is fetched from its address first."""
    agent = await mesh.registrar.register(unit, data)
    return _answer(unit, agent)


@get("/v1/agents", summary="List the tenant's agents, oldest first")
async def list_agents(
    unit: Work,
    mesh: Wired,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[str | None] = None,
    kind: FromQuery[str | None] = None,
    label: Label = None,
    health: FromQuery[str | None] = None,
    name_prefix: FromQuery[str | None] = None,
) -> Paged[AgentView]:
    """Return a page of the agents that fit every filter given."""
    page, filters = page_of(limit, cursor), filters_of(kind, label or (), health, name_prefix)
    found = await Agents(await unit.begin(), mesh.vault).list(filters, page)
    return paged([view(agent) for agent in found], page, lambda agent: agent.id)


@get("/v1/agents/{agent_id:str}", summary="Read an agent by its id or name")
async def read_agent(unit: Work, mesh: Wired, agent_id: FromPath[str]) -> Response[AgentView]:
    """Return the agent with its card; never its credential."""
    return _answer(unit, await Agents(await unit.begin(), mesh.vault).get(agent_id))


@patch("/v1/agents/{agent_id:str}", summary="Change an agent by a merge patch")
async def change_agent(
    unit: Work,
    mesh: Wired,
    agent_id: FromPath[str],
    data: JSONBody[Change],
    if_match: IfMatch = None,
) -> Response[AgentView]:
    """Return the agent as changed; what is left out stays, what is null goes."""
    return _answer(unit, await mesh.registrar.change(unit, agent_id, data, if_match))


@delete("/v1/agents/{agent_id:str}", summary="Remove an agent and its credential")
async def remove_agent(
    unit: Work, mesh: Wired, agent_id: FromPath[str], if_match: IfMatch = None
) -> None:
    """Remove the agent; what it did stays in telemetry and ledger."""
    agents = Agents(await unit.begin(), mesh.vault)
    unit.object = (await agents.delete(agent_id, if_match)).id


@post("/v1/agents/{agent_id:str}/-/refresh", status_code=200, summary="Read an agent's card again")
async def refresh_agent(unit: Work, mesh: Wired, agent_id: FromPath[str]) -> Response[AgentView]:
    """Return the agent with the card as it is now."""
    return _answer(unit, await mesh.registrar.refresh(unit, agent_id))


@post("/v1/agents/{agent_id:str}/-/invoke", status_code=200, summary="Call an agent")
async def invoke_agent(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    agent_id: FromPath[str],
    data: JSONBody[Invoke],
    idempotency_key: SentKey = None,
) -> Invoked:
    """Return what the agent answers, if the tenant's policies let the caller ask it."""
    asker = Asker(principal=ActorRef.of(principal), tier=principal.tier)
    unit.object = agent_id
    answer = await mesh.invoker.invoke(unit, asker, agent_id, data.invocation(idempotency_key))
    return msgspec.convert(answer, Invoked, from_attributes=True)


def _answer(unit: Unit, agent: Agent) -> Response[AgentView]:
    unit.object = agent.id
    return Response(view(agent, card=True), headers={"ETag": tag(agent.version)})
