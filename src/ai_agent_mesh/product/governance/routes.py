"""Policies over HTTP: read, written, their history, the schema, and decisions."""

from typing import Literal, Protocol

import msgspec
from litestar import MediaType, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.plumbing.http import Cursor, IfMatch, Limit, Paged, Work, page_of, paged, tag
from ai_agent_mesh.product.governance.gate import Gate
from ai_agent_mesh.product.governance.model import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    EndpointRef,
    Known,
    Policy,
    PolicyRef,
    PolicyVersion,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.places import schema_text
from ai_agent_mesh.product.governance.rules import version_of
from ai_agent_mesh.product.governance.service import Policies
from ai_agent_mesh.product.identity import Principal


class Wiring(Protocol):
    """What the routes take from the wired application."""

    clock: Clock
    gate: Gate


Wired = NamedDependency[SkipValidation[Wiring]]
Caller = NamedDependency[Principal]


class PolicyText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as it is written: one Cedar statement."""

    text: str
    #: Left out, the comment at the head of the text describes it.
    description: str | None = None
    enabled: bool = True


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the gate; without a principal, the caller asks for themselves."""

    action: Action
    resource: AgentRef | EndpointRef | WorkflowRef
    principal: ActorRef | WorkflowRef | None = None
    facts: dict[str, Known] = {}


class Answered(msgspec.Struct, frozen=True):
    """A decision, the policies that determined it, why, and how long it took."""

    decision: Literal["allow", "deny"]
    determining: tuple[str, ...]
    policies: tuple[PolicyRef, ...]
    reasons: tuple[str, ...]
    duration_us: int
    policy_version: int


@get("/v1/policies", summary="List the tenant's policies by name")
async def list_policies(
    unit: Work, limit: Limit = None, cursor: Cursor = None, enabled: FromQuery[bool | None] = None
) -> Paged[Policy]:
    """Return a page of policies, on request only those in force (or not)."""
    page = page_of(limit, cursor)
    policies = Policies(await unit.begin())
    found = await policies.page(page.after, page.limit + 1, enabled=enabled)
    return paged(found, page, lambda policy: policy.name)


@get("/v1/policies/schema", media_type=MediaType.TEXT, summary="Read the schema of policies")
async def read_schema() -> str:
    """Return what policies may speak about, in Cedar's schema language."""
    return schema_text()


@get("/v1/policies/{name:str}", summary="Read a policy")
async def read_policy(unit: Work, name: FromPath[str]) -> Response[Policy]:
    """Return a policy as it stands now."""
    policy = await Policies(await unit.begin()).get(name)
    return Response(policy, headers={"ETag": tag(policy.version)})


@put(
    "/v1/policies/{name:str}",
    summary="Create or replace a policy",
    responses={201: ResponseSpec(Policy, generate_examples=False, description="Made")},
)
async def put_policy(
    unit: Work, principal: Caller, mesh: Wired, name: FromPath[str], data: JSONBody[PolicyText],
    if_match: IfMatch = None,
) -> Response[Policy]:  # fmt: skip
    """Return the policy as written; to replace one, send the ETag that was read."""
    policies = Policies(await unit.begin(), clock=mesh.clock, by=principal.actor_id)
    policy = await policies.put(
        name, data.text, description=data.description, enabled=data.enabled, if_match=if_match
    )
    unit.object = policy.id
    status = 201 if if_match is None else 200
    return Response(policy, status_code=status, headers={"ETag": tag(policy.version)})


@delete("/v1/policies/{name:str}", summary="Take a policy out of force")
async def delete_policy(
    unit: Work, principal: Caller, mesh: Wired, name: FromPath[str], if_match: IfMatch = None
) -> None:
    """Remove the policy; its history stays readable."""
    policies = Policies(await unit.begin(), clock=mesh.clock, by=principal.actor_id)
    unit.object = (await policies.delete(name, if_match=if_match)).id


@get("/v1/policies/{name:str}/versions", summary="List every version of a policy, latest first")
async def policy_history(
    unit: Work, name: FromPath[str], limit: Limit = None, cursor: Cursor = None
) -> Paged[PolicyVersion]:
    """Return a page of versions; a deleted policy still has them."""
    page = page_of(limit, cursor)
    before = None if page.after is None else version_of(page.after)
    found = await Policies(await unit.begin()).history(name, before, page.limit + 1)
    return paged(found, page, lambda version: str(version.version))


@post("/v1/policies/-/evaluate", status_code=200, summary="Ask what the gate would decide")
async def evaluate(unit: Work, principal: Caller, mesh: Wired, data: JSONBody[Asking]) -> Answered:
    """Return what the gate decides, exactly as it would for the act itself."""
    asker = data.principal or ActorRef.of(principal)
    context = Context(str(principal.tier), data.facts)
    question = Question(asker, data.action, data.resource, context)
    decision = await mesh.gate.decide(await unit.begin(), question)
    return Answered(
        "allow" if decision.allowed else "deny",
        decision.determining,
        decision.policies,
        decision.reasons,
        decision.duration_us,
        decision.policy_version,
    )
