"""Workflows, their runs, and the approvals that runs wait for."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Page, Paged, paged
from ai_agent_mesh.plumbing.jobs import enqueue
from ai_agent_mesh.plumbing.observe import Trace
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.governance import (
    Action,
    ActorRef,
    Context,
    Forbidden,
    Gate,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.identity import Principal
from ai_agent_mesh.product.orchestration.definition import check_definition, load_definition
from ai_agent_mesh.product.orchestration.expressions import Expressions
from ai_agent_mesh.product.orchestration.facts import (
    ApprovalDecided,
    ApprovalMissing,
    RunEnded,
    RunInputInvalid,
    RunMissing,
    RunNotResumable,
    WorkflowDisabled,
    WorkflowMissing,
    WorkflowVersionTaken,
)
from ai_agent_mesh.product.orchestration.model import (
    Approval,
    Run,
    RunShown,
    Workflow,
    shortened,
)
from ai_agent_mesh.product.orchestration.rules import MOST_INPUT_BYTES
from ai_agent_mesh.product.orchestration.store import ApprovalStore, RunStore, WorkflowStore

Json = Any  # what JSON can say


class Workflows:
    """The tenant's workflow definitions."""

    def __init__(self, tx: Tx, clock: Clock) -> None:
        self._store = WorkflowStore(tx)
        self._clock = clock

    async def put(
        self, source: str, by: str, expressions: Expressions, *, name: str | None = None
    ) -> tuple[Workflow, bool]:
        """Keep a definition (YAML or JSON); return it, and whether it is new.

        The same text again changes nothing.

        Raises:
            DefinitionInvalid: with every mistake and its place.
            WorkflowVersionTaken: another text has this version.
        """
        definition = await check_definition(source, expressions)
        if name is not None and name != definition.name:
            raise WorkflowMissing(workflow=name)
        workflow = Workflow(
            id=new_id("wfl"),
            name=definition.name,
            version=definition.version,
            namespace=definition.namespace,
            digest=sha256(msgspec.json.encode(definition.source, order="sorted")).hexdigest(),
            created_at=self._clock.now(),
            created_by=by,
            disabled_at=None,
            definition=definition.source,
            source=source,
        )
        if await self._store.insert(workflow):
            return workflow, True
        return await self._same(workflow), False

    async def _same(self, workflow: Workflow) -> Workflow:
        there = await self._store.find(workflow.name, workflow.version)
        if there is None or there.digest != workflow.digest:
            raise WorkflowVersionTaken(workflow=workflow.name, version=workflow.version)
        if there.disabled_at is not None:
            await self._store.enable(there.id)
        return replace(there, disabled_at=None)

    async def get(self, name: str, version: str | None = None) -> Workflow:
        """Return a version of a workflow, the newest without a number.

        Raises:
            WorkflowMissing: there is none.
        """
        found = await self._store.find(name, version)
        if found is None:
            raise WorkflowMissing(workflow=f"{name} {version}" if version else name)
        return found

    async def versions(self, name: str) -> list[str]:
        """Return a workflow's versions, the newest first."""
        return await self._store.versions(name)

    async def list(self, page: Page) -> Paged[Workflow]:
        """Return the newest version of each workflow, by name."""
        rows = await self._store.list(page.after, page.limit + 1)
        return paged(rows, page, lambda workflow: workflow.name)

    async def disable(self, name: str) -> None:
        """Let no further run of a workflow start; runs under way go on.

        Raises:
            WorkflowMissing: there is none that could run.
        """
        if not await self._store.disable(name, self._clock.now()):
            raise WorkflowMissing(workflow=name)


class Runs:
    """The tenant's runs."""

    def __init__(self, tx: Tx, clock: Clock) -> None:
        self._tx = tx
        self._store = RunStore(tx)
        self._clock = clock

    async def start(
        self,
        name: str,
        given: Json,
        by: Principal,
        gate: Gate,
        *,
        version: str | None = None,
        trace: Trace | None = None,
    ) -> Run:
        """Accept a run: its row and its place in the queue are one transaction.

        Raises:
            WorkflowMissing, WorkflowDisabled: there is nothing to run.
            RunInputInvalid: the input is too large.
            Forbidden: the tenant's policies say no.
        """
        workflow = await Workflows(self._tx, self._clock).get(name, version)
        if workflow.disabled_at is not None:
            raise WorkflowDisabled(workflow=name)
        if len(msgspec.json.encode(given)) > MOST_INPUT_BYTES:
            reason = f"must be at most {MOST_INPUT_BYTES} bytes of JSON"
            raise RunInputInvalid(faults=[Fault("/input", reason)])
        await self._permit(workflow, by, gate)
        trace = trace or Trace.begin()
        run = Run(
            id=new_id("run"),
            workflow=workflow.name,
            version=workflow.version,
            state="pending",
            created_at=self._clock.now(),
            started_at=None,
            ended_at=None,
            actor=by.actor_id,
            trace_id=trace.trace_id,
            input=given,
        )
        about = {"role": str(by.role), "tier": str(by.tier)}
        traced = {"span_id": trace.span_id, "request_id": trace.request_id}
        await self._store.insert(run, workflow.id, {**about, **traced})
        await enqueue(self._tx, run.id, 1)
        return run

    async def _permit(self, workflow: Workflow, by: Principal, gate: Gate) -> None:
        question = Question(
            principal=ActorRef.of(by),
            action=Action.START_RUN,
            resource=WorkflowRef(
                name=workflow.name,
                version=workflow.version,
                labels=load_definition(workflow.definition).labels,
            ),
            context=Context(tier=str(by.tier)),
        )
        decision = await gate.decide(self._tx, question)
        if not decision.allowed:
            raise Forbidden(
                principal=by.actor_id,
                action=Action.START_RUN.value,
                resource=workflow.name,
                why="; ".join(decision.reasons) or "no policy permits it",
                policies=[policy.name for policy in decision.policies],
            )

    async def get(self, run_id: str) -> Run:
        """Return a run with its output or error.

        Raises:
            RunMissing: there is none.
        """
        found = await self._store.find(run_id)
        if found is None:
            raise RunMissing(run=run_id)
        return found

    async def show(self, run_id: str) -> RunShown:
        """Return a run with what each of its tasks did; RunMissing if there is none."""
        run = await self.get(run_id)
        tasks = [
            replace(task, input=shortened(task.input), output=shortened(task.output))
            for task in await self._store.tasks(run_id)
        ]
        return RunShown(**msgspec.structs.asdict(run), tasks=tasks)

    async def list(
        self, page: Page, workflow: str | None = None, state: str | None = None
    ) -> Paged[Run]:
        """Return runs, the newest first; input and output are left out."""
        rows = await self._store.list(workflow, state, page.after, page.limit + 1)
        return paged(rows, page, lambda run: run.id)

    async def cancel(self, run_id: str) -> Run:
        """End a run; what it does outside at this moment is not waited for.

        Raises:
            RunMissing: there is none.
            RunEnded: it has ended.
        """
        if not await self._store.cancel(run_id, self._clock.now()):
            raise RunEnded(run=run_id, state=(await self.get(run_id)).state)
        return await self.get(run_id)

    async def resume(self, run_id: str) -> Run:
        """Let a faulted or cancelled run go on from where it stood.

        Raises:
            RunMissing: there is none.
            RunNotResumable: it is under way, or completed.
        """
        segment = await self._store.resume(run_id)
        if segment is None:
            raise RunNotResumable(run=run_id, state=(await self.get(run_id)).state)
        await enqueue(self._tx, run_id, segment)
        return await self.get(run_id)


class Approvals:
    """What the tenant's runs ask of people."""

    def __init__(self, tx: Tx, clock: Clock) -> None:
        self._tx = tx
        self._store = ApprovalStore(tx)
        self._clock = clock

    async def get(self, approval_id: str) -> Approval:
        """Return an approval; ApprovalMissing if there is none."""
        found = await self._store.find(approval_id)
        if found is None:
            raise ApprovalMissing(approval=approval_id)
        return found

    async def list(self, page: Page, state: str | None = None) -> Paged[Approval]:
        """Return approvals, the newest first."""
        rows = await self._store.list(state, page.after, page.limit + 1)
        return paged(rows, page, lambda approval: approval.id)

    async def decide(
        self,
        approval_id: str,
        state: str,
        by: str,
        *,
        comment: str | None = None,
        data: Json = None,
    ) -> Approval:
        """Approve or reject: the decision and the run's waking are one transaction.

        Raises:
            ApprovalMissing: there is none.
            ApprovalDecided: it was decided, or lapsed, before.
        """
        found = await self.get(approval_id)
        # The run's row first, as everywhere: two who lock in one order cannot block each other.
        segment = await RunStore(self._tx).wake(found.run_id)
        at: datetime = self._clock.now()
        decided = replace(
            found, state=state, comment=comment, data=data, decided_by=by, decided_at=at
        )
        if segment is None or not await self._store.decide(decided):
            state = (await self.get(approval_id)).state
            raise ApprovalDecided(approval=approval_id, state=state)
        await enqueue(self._tx, found.run_id, segment)
        return decided
