"""Calls an agent for somebody: decide, let the connection go, call, remember what it took."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http.outbound import UpstreamFailed
from ai_agent_mesh.plumbing.observe import Trace, current
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents.facts import InvocationTimedOut
from ai_agent_mesh.product.agents.model import (
    Agent,
    Answer,
    Asker,
    Invocation,
    Kind,
    Message,
    Reply,
    Target,
    Usage,
)
from ai_agent_mesh.product.agents.ports import AgentCaller, Gate, Vault, Work
from ai_agent_mesh.product.agents.rules import (
    USUAL_S,
    check_invocation,
    cost_of,
    may_repeat,
    wait_s,
)
from ai_agent_mesh.product.agents.service import Agents
from ai_agent_mesh.product.agents.timing import Deadline, Stopwatch
from ai_agent_mesh.product.governance import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    Decision,
    Forbidden,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.telemetry import Attribute, Recorder, SpanRecord, names
from ai_agent_mesh.product.telemetry import Kind as SpanKind


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An invocation that was decided on and may go out: all that is needed without a database."""

    agent: Agent
    target: Target
    invocation: Invocation
    asker: Asker
    trace: Trace
    key: str
    deadline_s: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the calling went; either a reply or a failure."""

    started_at: datetime
    duration_us: int
    attempts: int
    reply: Reply | None = None
    failure: Fact | None = None


class Invoker:
    """The one way to an agent, for the API and for runs alike."""

    def __init__(
        self, callers: Mapping[Kind, AgentCaller], gate: Gate, vault: Vault, clock: Clock
    ) -> None:
        self._callers = callers
        self._gate = gate
        self._vault = vault
        self._clock = clock

    async def invoke(self, work: Work, asker: Asker, agent: str, invocation: Invocation) -> Answer:
        """Call an agent by id or name and return its answer; telemetry is kept either way.

        The work is settled while the agent is waited for, and settled again after a failure, so
        that what was decided and what went wrong stay on record when the caller's answer is an
        error.

        Raises:
            InvocationInvalid, AgentMissing: before anything was asked.
            Forbidden: the tenant's policies say no.
            UpstreamFailed, AddressRefused: the agent's own or its address's fault, after the
                last permitted attempt.
        """
        prepared = await self.prepare(work, asker, agent, invocation)
        with Stopwatch(work):
            outcome = await self.call(prepared)
        await self.record(await work.begin(), prepared, outcome)
        if outcome.failure is not None:
            await work.settle()
            raise outcome.failure
        return answer_of(prepared, outcome)

    async def prepare(
        self, work: Work, asker: Asker, agent: str, invocation: Invocation
    ) -> Prepared:
        """Find the agent, open its credential and ask the gate; no connection is held after."""
        check_invocation(invocation)
        tx = await work.begin()
        agents = Agents(tx, self._vault)
        found = await agents.get(agent)
        question = Question(
            principal=asker.principal,
            action=Action.INVOKE_AGENT,
            resource=AgentRef(
                id=found.id, name=found.name, kind=found.kind.value, labels=found.labels
            ),
            context=Context(tier=asker.tier, facts=invocation.facts),
        )
        decision = await self._gate.decide(tx, question, run_id=asker.run_id)
        target = await agents.target(found) if decision.allowed else None
        await work.settle()
        if target is None:
            raise forbidden(asker.principal, found, decision)
        return Prepared(
            agent=found,
            target=target,
            invocation=invocation,
            asker=asker,
            trace=(current() or Trace.begin()).child(),
            key=invocation.idempotency_key or new_id("idm"),
            deadline_s=invocation.timeout_s or found.timeout_s or USUAL_S,
        )

    async def call(self, prepared: Prepared) -> Outcome:
        """Call, again where that is safe, within the deadline; never raises a fact."""
        started_at = self._clock.now()
        deadline = Deadline(prepared.deadline_s)
        reply: Reply | None = None
        failure: Fact | None = None
        tries = 0
        try:
            async for attempt in self._attempts(prepared, deadline):
                tries = attempt.retry_state.attempt_number
                with attempt:
                    reply = await self._once(prepared, deadline)
        except Fact as fact:
            failure = fact
            fact.evidence = {**fact.evidence, "attempts": tries}
        return Outcome(
            started_at=started_at,
            duration_us=deadline.elapsed_us,
            attempts=tries,
            reply=reply,
            failure=failure,
        )

    async def record(self, tx: Tx, prepared: Prepared, outcome: Outcome) -> None:
        """Keep the call as a span of its trace."""
        await Recorder(tx).record(span_of(prepared, outcome))

    async def _once(self, prepared: Prepared, deadline: Deadline) -> Reply:
        caller = self._callers[prepared.agent.kind]
        if deadline.left_s <= 0:
            raise InvocationTimedOut(agent=prepared.agent.name, seconds=f"{deadline.seconds:g}")
        return await caller.call(
            prepared.target,
            Message(prepared.invocation.input),
            deadline_s=deadline.left_s,
            idempotency_key=prepared.key,
            traceparent=prepared.trace.traceparent,
        )

    def _attempts(self, prepared: Prepared, deadline: Deadline) -> AsyncRetrying:
        def again(error: BaseException) -> bool:
            # A wait that would outlast the deadline is not begun: the failure itself says more.
            return (
                isinstance(error, UpstreamFailed)
                and may_repeat(error, idempotent=prepared.agent.idempotent)
                and _pause(error, 1) < deadline.left_s
            )

        def pause(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return min(_pause(error, state.attempt_number), max(deadline.left_s, 0.0))

        return AsyncRetrying(
            stop=stop_after_attempt(max(1, prepared.invocation.attempts)),
            retry=retry_if_exception(again),
            wait=pause,
            reraise=True,
        )


def _pause(error: BaseException | None, tries: int) -> float:
    asked = error.evidence.get("retry_after_s") if isinstance(error, Fact) else None
    return wait_s(tries, float(asked) if isinstance(asked, int | float) else None)


def forbidden(principal: ActorRef | WorkflowRef, agent: Agent, decision: Decision) -> Forbidden:
    """Say who may not call what, and by which policies."""
    return Forbidden(
        principal=principal.id if isinstance(principal, ActorRef) else principal.name,
        action=Action.INVOKE_AGENT.value,
        resource=agent.name,
        why="; ".join(decision.reasons) or "no policy permits it",
        policies=list(decision.determining),
    )


def answer_of(prepared: Prepared, outcome: Outcome) -> Answer:
    """Return what the caller sees of a call that went well."""
    reply = outcome.reply
    if reply is None:
        raise LookupError("a call that failed has no answer")
    usage = None
    if reply.input_tokens is not None or reply.output_tokens is not None:
        usage = Usage(reply.input_tokens or 0, reply.output_tokens or 0)
    return Answer(
        output=reply.output,
        text=reply.text,
        usage=usage,
        cost=cost_of(prepared.agent.price, reply),
        attempts=outcome.attempts,
        trace_id=prepared.trace.trace_id,
    )


def span_of(prepared: Prepared, outcome: Outcome) -> SpanRecord:
    """Describe a call under the OpenTelemetry GenAI names."""
    agent, reply, asker = prepared.agent, outcome.reply, prepared.asker
    attributes: dict[str, Attribute] = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_ID: agent.id,
        names.AGENT_NAME: agent.name,
        names.PROVIDER_NAME: agent.kind.value,
        "mesh.agent.attempts": outcome.attempts,
    }
    if agent.model is not None:
        attributes[names.REQUEST_MODEL] = agent.model
    if reply is not None and reply.model is not None:
        attributes[names.RESPONSE_MODEL] = reply.model
    if reply is not None and reply.input_tokens is not None:
        attributes[names.INPUT_TOKENS] = reply.input_tokens
    if reply is not None and reply.output_tokens is not None:
        attributes[names.OUTPUT_TOKENS] = reply.output_tokens
    cost: Decimal | None = None if reply is None else cost_of(agent.price, reply)
    return SpanRecord(
        trace_id=prepared.trace.trace_id,
        span_id=prepared.trace.span_id,
        parent_id=prepared.trace.parent_id,
        name=f"{names.INVOKE_AGENT} {agent.name}",
        kind=SpanKind.AGENT_CALL,
        started_at=outcome.started_at,
        duration_us=outcome.duration_us,
        attributes=attributes,
        input_tokens=(reply and reply.input_tokens) or 0,
        output_tokens=(reply and reply.output_tokens) or 0,
        cost=cost,
        error_type=None if outcome.failure is None else type(outcome.failure).__name__,
        agent_id=agent.id,
        workflow=asker.workflow,
        run_id=asker.run_id,
    )
