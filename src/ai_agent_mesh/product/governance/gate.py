"""Decides whether something may be done, by the policies of its tenant as they stand right now."""

import asyncio
import time
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

import msgspec

from ai_agent_mesh.kernel.clock import Clock, SystemClock
from ai_agent_mesh.plumbing.observe import Trace, current, get_logger
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.governance.engine import answer, compile_set, denial
from ai_agent_mesh.product.governance.model import (
    ActorRef,
    AgentRef,
    Decision,
    EndpointRef,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.ports import Decided
from ai_agent_mesh.product.governance.slices import PolicySet
from ai_agent_mesh.product.governance.store import PolicyStore
from ai_agent_mesh.product.telemetry import Kind, Recorder, SpanRecord, names

_log = get_logger("governance.gate")
#: A compiled set of a thousand policies takes a few megabytes.
SETS_KEPT = 64
#: A set smaller than this is compiled faster than a thread is woken.
_FEW = 20


class Gate:
    """The one gate that every agent call and every outside task passes; one for a process.

    Compiled sets are kept by the stamp of the tenant's set, which each decision reads in its own
    transaction: a changed policy is in force for the next decision of every process.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        metrics: Decided | None = None,
        *,
        sets_kept: int = SETS_KEPT,
    ) -> None:
        self._clock = clock or SystemClock()
        self._metrics = metrics
        self._sets: OrderedDict[UUID, PolicySet] = OrderedDict()
        self._compiling = asyncio.Lock()
        self._kept = sets_kept

    async def decide(self, tx: Tx, question: Question, *, run_id: str | None = None) -> Decision:
        """Answer a question by the tenant's policies, and record the decision as a span of `tx`.

        Whatever fails in the evaluation is a denial that says so. The span stays only when the
        transaction is committed: settle it before a denial is raised to the caller.
        """
        began, at = time.perf_counter_ns(), self._clock.now()
        policies = await self._policies(tx)
        try:
            decision = answer(question, tx.tenant_id, at, policies)
        except Exception as error:  # noqa: BLE001 - a gate that breaks stays shut
            _log.exception("decision failed", **{"error.type": type(error).__name__})
            why = f"the decision failed, which is a denial ({type(error).__name__})"
            decision = denial([why], policies.version, 0)
        taken = (time.perf_counter_ns() - began) // 1000
        decision = msgspec.structs.replace(decision, duration_us=taken)
        await Recorder(tx).record(_span(question, decision, at, run_id))
        if self._metrics is not None:
            self._metrics.policy_decision(
                question.action.value, allowed=decision.allowed, duration_us=taken
            )
        return decision

    async def _policies(self, tx: Tx) -> PolicySet:
        store = PolicyStore(tx)
        mark = await store.mark()
        if mark is None:
            return PolicySet(0, ())
        known = self._known(mark.stamp)
        if known is not None:
            return known
        async with self._compiling:  # the first who needs a set compiles it for all
            return self._known(mark.stamp) or await self._compile(store)

    def _known(self, stamp: UUID) -> PolicySet | None:
        found = self._sets.get(stamp)
        if found is not None:
            self._sets.move_to_end(stamp)
        return found

    async def _compile(self, store: PolicyStore) -> PolicySet:
        mark, stored = await store.enabled()
        if mark is None:
            return PolicySet(0, ())
        if len(stored) <= _FEW:
            made = compile_set(mark.version, stored)
        else:
            made = await asyncio.to_thread(compile_set, mark.version, stored)
        self._sets[mark.stamp] = made
        if len(self._sets) > self._kept:
            self._sets.popitem(last=False)
        return made


def _span(question: Question, decision: Decision, at: datetime, run_id: str | None) -> SpanRecord:
    around = current()
    trace = around.child() if around is not None else Trace.begin()
    actor, resource = question.principal, question.resource
    return SpanRecord(
        trace_id=trace.trace_id,
        span_id=trace.span_id,
        parent_id=trace.parent_id,
        name=f"decide {question.action.value}",
        kind=Kind.POLICY_DECISION,
        started_at=at,
        duration_us=decision.duration_us,
        attributes={
            names.POLICY_ACTION: question.action.value,
            names.POLICY_DECISION: "allow" if decision.allowed else "deny",
            names.POLICY_DETERMINING: list(decision.determining),
            names.POLICY_SET_VERSION: decision.policy_version,
            names.POLICY_PRINCIPAL: actor.id if isinstance(actor, ActorRef) else actor.name,
            names.POLICY_RESOURCE: _name(resource),
        },
        agent_id=resource.id if isinstance(resource, AgentRef) else None,
        workflow=actor.name if isinstance(actor, WorkflowRef) else None,
        run_id=run_id,
    )


def _name(resource: AgentRef | EndpointRef | WorkflowRef) -> str:
    match resource:
        case AgentRef():
            return resource.id
        case EndpointRef():
            return f"{resource.scheme}://{resource.host}:{resource.port}{resource.path}"
        case WorkflowRef():
            return resource.name
