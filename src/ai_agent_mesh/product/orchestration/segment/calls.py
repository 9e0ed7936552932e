"""The calls a task may make: an agent through the invoker, an HTTP service through the gate."""

import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.http import Unit
from ai_agent_mesh.plumbing.http.outbound import excerpt, said, wholesome, words
from ai_agent_mesh.plumbing.observe import current
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents import Asker, Invocation
from ai_agent_mesh.product.governance import (
    Action,
    ActorRef,
    Context,
    EndpointRef,
    Forbidden,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.orchestration.definition.model import CallHttp
from ai_agent_mesh.product.orchestration.errors import raised
from ai_agent_mesh.product.orchestration.ports import Step
from ai_agent_mesh.product.orchestration.segment.given import Equipment, RunFacts

Json = Any  # what JSON can say

USUAL_S = 30.0
LONGEST_S = 300.0


@dataclass(slots=True)
class Answered:
    """What a call gave, and what to keep of it in the checkpoint's transaction."""

    output: Json = None
    record: Callable[[Tx], Awaitable[None]] | None = None
    waited_us: int = 0


Call = Callable[[Equipment, RunFacts, Step, Unit, str, float | None], Awaitable[Answered]]


def actor_of(run: RunFacts) -> WorkflowRef:
    """Return whom policies see acting: the workflow, and who started it."""
    starter = ActorRef(id=run.actor, role=run.role)
    labels = run.definition.labels
    return WorkflowRef(name=run.workflow, version=run.version, labels=labels, started_by=starter)


async def call_agent(
    equipment: Equipment, run: RunFacts, step: Step, work: Unit, key: str, left_s: float | None
) -> Answered:
    """Send a message to a registered agent and return what it said."""
    given = step.arguments
    asker = Asker(principal=actor_of(run), tier=run.tier, workflow=run.workflow, run_id=run.id)
    invocation = Invocation(
        input=_message(given),
        timeout_s=None if left_s is None else min(left_s, LONGEST_S),
        idempotency_key=key,
    )
    invoker = equipment.invoker
    prepared = await invoker.prepare(work, asker, str(given["agent"]), invocation)
    began = time.perf_counter_ns()
    outcome = await invoker.call(prepared)
    work.waited((time.perf_counter_ns() - began) // 1000)
    answered = Answered(record=lambda tx: invoker.record(tx, prepared, outcome))
    if outcome.failure is not None:
        raise AgentCallFailed(answered, outcome.failure)
    reply = outcome.reply
    answered.output = None if reply is None else reply.output
    return answered


class AgentCallFailed(Exception):  # noqa: N818 - it carries a fact
    """An agent did not do what was asked; what is to be kept of that comes along."""

    def __init__(self, answered: Answered, fact: Fact) -> None:
        super().__init__(str(fact))
        self.answered = answered
        self.fact = fact


def _message(given: dict[str, Json]) -> Json:
    """Return what the agent gets: a text, data, or both, or the message of `parameters`."""
    if "parameters" in given:
        parameters = given["parameters"]
        message = parameters.get("message") if isinstance(parameters, dict) else parameters
        return _parts(message)
    if "message" in given and "data" in given:
        return {"message": given["message"], "data": given["data"]}
    return given["message"] if "message" in given else given["data"]


def _parts(message: Json) -> Json:
    """Return the content of an A2A message: its texts joined, or its one data part."""
    parts = message.get("parts") if isinstance(message, dict) else None
    if not isinstance(parts, list):
        return message
    data = [part["data"] for part in parts if isinstance(part, dict) and "data" in part]
    texts = [str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part]
    if data and not texts:
        return data[0] if len(data) == 1 else data
    return {"message": "\n".join(texts), "data": data} if data else "\n".join(texts)


async def call_http(
    equipment: Equipment, run: RunFacts, step: Step, work: Unit, key: str, left_s: float | None
) -> Answered:
    """Ask the gate, call the service, and return what the task wants of its answer."""
    body = step.task.body
    if not isinstance(body, CallHttp):
        raise TypeError(step.kind)
    given = step.arguments
    url = str(given["endpoint"])
    await _permit(equipment, run, url, body.method, work)
    headers, content = _request(given, key)
    began = time.perf_counter_ns()
    seconds = min(left_s or USUAL_S, LONGEST_S)
    try:
        response = await equipment.http.request(
            body.method,
            url,
            headers=headers,
            params=_query(given),
            content=content,
            timeout=seconds,
        )
    finally:
        work.waited((time.perf_counter_ns() - began) // 1000)
    _judge(response, body, step)
    return Answered(_wanted(response, body.answer))


async def _permit(equipment: Equipment, run: RunFacts, url: str, method: str, work: Unit) -> None:
    question = Question(
        principal=actor_of(run),
        action=Action.CALL_HTTP,
        resource=EndpointRef.of(url, method),
        context=Context(tier=run.tier),
    )
    decision = await equipment.gate.decide(await work.begin(), question, run_id=run.id)
    await work.settle()
    if not decision.allowed:
        raise Forbidden(
            principal=run.workflow,
            action=Action.CALL_HTTP.value,
            resource=url,
            why="; ".join(decision.reasons) or "no policy permits it",
            policies=[policy.name for policy in decision.policies],
        )


def _request(given: dict[str, Json], key: str) -> tuple[dict[str, str], bytes | None]:
    headers = {str(name): str(value) for name, value in (given.get("headers") or {}).items()}
    names = {name.lower() for name in headers}
    if "idempotency-key" not in names:
        headers["Idempotency-Key"] = key
    trace = current()
    if trace is not None and "traceparent" not in names:
        headers["traceparent"] = trace.traceparent
    if "body" not in given:
        return headers, None
    if "content-type" not in names:
        headers["Content-Type"] = "application/json"
    return headers, msgspec.json.encode(given["body"])


def _query(given: dict[str, Json]) -> dict[str, str] | None:
    query = given.get("query")
    return None if not query else {str(name): str(value) for name, value in query.items()}


def _judge(response: httpx.Response, body: CallHttp, step: Step) -> None:
    if response.status_code < (400 if body.redirect else 300):
        return
    title = f"The service answered {response.status_code}."
    kind = {401: "authentication", 403: "authorization"}.get(response.status_code)
    place, status = step.task.place, response.status_code
    if kind == "authentication":
        raise raised("authentication", title, place, status=status)
    if kind == "authorization":
        raise raised("authorization", title, place, status=status)
    raise raised("communication", title, place, status=status, detail=excerpt(words(response)))


def _wanted(response: httpx.Response, answer: str) -> Json:
    if answer == "raw":
        return base64.b64encode(response.content).decode()
    content = _content(response)
    if answer == "content":
        return content
    return {
        "request": {
            "method": response.request.method,
            "uri": str(response.request.url),
        },
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "content": content,
    }


def _content(response: httpx.Response) -> Json:
    """Return the JSON that the answer says it is, or its text; AnswerUnreadable tells of others."""
    if not response.content:
        return None
    if "json" in response.headers.get("content-type", ""):
        return said(response, Any)
    return wholesome(words(response), response.url.host)


CALLS: dict[str, Call] = {"call:a2a": call_agent, "call:http": call_http}
