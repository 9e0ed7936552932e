"""Workflows, runs and approvals over HTTP."""

from typing import Annotated, Any, Protocol

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import (
    FromPath,
    FromQuery,
    JSONBody,
    QueryParameter,
    RawBody,
    SkipValidation,
)

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.ids import check_id
from ai_agent_mesh.plumbing.http import Paged, Unit, page_of
from ai_agent_mesh.plumbing.observe import current
from ai_agent_mesh.product.governance import Forbidden, Gate
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.orchestration.definition import DefinitionInvalid
from ai_agent_mesh.product.orchestration.expressions import Expressions
from ai_agent_mesh.product.orchestration.model import Approval, Run, RunShown, Workflow
from ai_agent_mesh.product.orchestration.service import Approvals, Runs, Workflows

Json = Any  # what JSON can say; it is the tenant's own

State = Annotated[str | None, QueryParameter(name="state", description="Those in this state alone")]
Version = Annotated[str | None, QueryParameter(description="A version; usually the newest")]


class Wiring(Protocol):
    """The parts of the wired application that orchestration uses."""

    @property
    def clock(self) -> Clock:
        """Return what tells the time."""
        ...

    @property
    def gate(self) -> Gate:
        """Return the policies' gate."""
        ...

    @property
    def expressions(self) -> Expressions:
        """Return what compiles and evaluates jq."""
        ...


Work = NamedDependency[Unit]
Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]

Limit = FromQuery[int | None]
Cursor = FromQuery[str | None]


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to run: its input (any JSON), and which version."""

    input: Json = {}
    version: str | None = None


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes with a decision: a comment for people, data for the workflow."""

    comment: str | None = None
    data: Json = None


class WorkflowShown(Workflow, frozen=True, kw_only=True):
    """One version of a workflow, and which others there are, the newest first."""

    versions: list[str] = msgspec.field(default_factory=list)


@post(
    "/v1/workflows",
    summary="Keep a workflow definition, as YAML or JSON",
    responses={200: ResponseSpec(Workflow, generate_examples=False, description="There already")},
)
async def put_workflow(
    unit: Work, principal: Caller, mesh: Wired, body: RawBody
) -> Response[Workflow]:
    """Return the version kept: 201 for a new one, 200 when it was there just so."""
    try:
        source = body.decode()
    except UnicodeDecodeError as error:
        raise DefinitionInvalid([Fault("", "the definition must be UTF-8 text")]) from error
    workflows = Workflows(await unit.begin(), mesh.clock)
    workflow, new = await workflows.put(source, principal.actor_id, mesh.expressions)
    unit.object = workflow.id
    place = {"Location": f"/v1/workflows/{workflow.name}"}
    return Response(workflow, status_code=201 if new else 200, headers=place)


@get("/v1/workflows", summary="List workflows by name")
async def list_workflows(
    unit: Work, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[Workflow]:
    """Return a page of workflows, each in its newest version, without definitions."""
    return await Workflows(await unit.begin(), mesh.clock).list(page_of(limit, cursor))


@get("/v1/workflows/{name:str}", summary="Read a workflow")
async def read_workflow(
    unit: Work, mesh: Wired, name: FromPath[str], version: Version = None
) -> WorkflowShown:
    """Return a version with its definition and source."""
    workflows = Workflows(await unit.begin(), mesh.clock)
    workflow = await workflows.get(name, version)
    versions = await workflows.versions(name)
    return WorkflowShown(**msgspec.structs.asdict(workflow), versions=versions)


@delete("/v1/workflows/{name:str}", summary="Let no further run of a workflow start")
async def remove_workflow(unit: Work, mesh: Wired, name: FromPath[str]) -> None:
    """Disable every version; runs under way go on, and what was run can still be read."""
    await Workflows(await unit.begin(), mesh.clock).disable(name)
    unit.object = name


@post("/v1/workflows/{name:str}/runs", status_code=202, summary="Start a run")
async def start_run(
    unit: Work, principal: Caller, mesh: Wired, name: FromPath[str], data: JSONBody[NewRun]
) -> Response[Run]:
    """Return the run once it is accepted for good; it is worked off soon after."""
    runs = Runs(await unit.begin(), mesh.clock)
    try:
        run = await runs.start(
            name, data.input, principal, mesh.gate, version=data.version, trace=current()
        )
    except Forbidden:
        await unit.settle()  # the decision stays on record
        raise
    unit.object = run.id
    return Response(run, status_code=202, headers={"Location": f"/v1/runs/{run.id}"})


@get("/v1/runs", summary="List runs, the newest first")
async def list_runs(
    unit: Work,
    mesh: Wired,
    workflow: FromQuery[str | None] = None,
    among: State = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Paged[Run]:
    """Return a page of runs, without input and output."""
    runs = Runs(await unit.begin(), mesh.clock)
    return await runs.list(page_of(limit, cursor), workflow, among)


@get("/v1/runs/{run_id:str}", summary="Read a run and what its tasks did")
async def read_run(unit: Work, mesh: Wired, run_id: FromPath[str]) -> RunShown:
    """Return a run with its output or error, and each execution of a task."""
    return await Runs(await unit.begin(), mesh.clock).show(check_id("run", run_id, "run_id"))


@post("/v1/runs/{run_id:str}/-/cancel", status_code=200, summary="Cancel a run")
async def cancel_run(unit: Work, mesh: Wired, run_id: FromPath[str]) -> Run:
    """Return the run as cancelled; its worker drops it within a second."""
    unit.object = check_id("run", run_id, "run_id")
    return await Runs(await unit.begin(), mesh.clock).cancel(run_id)


@post(
    "/v1/runs/{run_id:str}/-/resume",
    status_code=202,
    summary="Let a faulted or cancelled run go on",
)
async def resume_run(unit: Work, mesh: Wired, run_id: FromPath[str]) -> Run:
    """Return a faulted or cancelled run as pending: it goes on from where it stood."""
    unit.object = check_id("run", run_id, "run_id")
    return await Runs(await unit.begin(), mesh.clock).resume(run_id)


@get("/v1/approvals", summary="List approvals, the newest first")
async def list_approvals(
    unit: Work,
    mesh: Wired,
    among: State = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Paged[Approval]:
    """Return a page of approvals; `state=pending` are those that wait for somebody."""
    return await Approvals(await unit.begin(), mesh.clock).list(page_of(limit, cursor), among)


@get("/v1/approvals/{approval_id:str}", summary="Read an approval")
async def read_approval(unit: Work, mesh: Wired, approval_id: FromPath[str]) -> Approval:
    """Return what is asked, and the answer if there is one."""
    return await Approvals(await unit.begin(), mesh.clock).get(check_id("apr", approval_id))


@post(
    "/v1/approvals/{approval_id:str}/-/approve", status_code=200, summary="Approve what a run asks"
)
async def approve(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    approval_id: FromPath[str],
    data: JSONBody[Verdict | None] = None,
) -> Approval:
    """Return the approval as decided; its run goes on."""
    return await _decide(unit, principal, mesh, approval_id, "approved", data)


@post("/v1/approvals/{approval_id:str}/-/reject", status_code=200, summary="Reject what a run asks")
async def reject(
    unit: Work,
    principal: Caller,
    mesh: Wired,
    approval_id: FromPath[str],
    data: JSONBody[Verdict | None] = None,
) -> Approval:
    """Return the approval as decided; its run goes on and sees the rejection."""
    return await _decide(unit, principal, mesh, approval_id, "rejected", data)


async def _decide(
    unit: Unit, by: Principal, mesh: Wired, approval_id: str, state: str, data: Verdict | None
) -> Approval:
    unit.object = check_id("apr", approval_id)
    said = data or Verdict()
    approvals = Approvals(await unit.begin(), mesh.clock)
    return await approvals.decide(
        approval_id, state, by.actor_id, comment=said.comment, data=said.data
    )
