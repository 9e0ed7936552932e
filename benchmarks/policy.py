"""How long a policy decision takes in process, beside plain cedarpy over the whole set."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter, thread_time

import cedarpy

from ai_agent_mesh.product.governance import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    EndpointRef,
    Question,
    WorkflowRef,
    starter,
)
from ai_agent_mesh.product.governance.cedar import asked
from ai_agent_mesh.product.governance.engine import answer, compile_set
from ai_agent_mesh.product.governance.places import schema
from ai_agent_mesh.product.governance.store import StoredPolicy
from benchmarks.figures import Figure, percentile

SIZES = (10, 100, 1_000)
ROUNDS = 2_000
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
TENANT = "tnt_bench"

#: A rule for one agent by id, for one by name, for one address, and for whoever has a fact.
_SHAPES = (
    (
        'permit (principal, action == Mesh::Action::"invokeAgent",'
        ' resource == Mesh::Agent::"agt_{n}")'
        ' when {{ context.facts.hasTag("purpose") && context.facts.getTag("purpose") == "p{n}" }};'
    ),
    (
        'forbid (principal, action == Mesh::Action::"invokeAgent", resource is Mesh::Agent)'
        ' when {{ resource.name == "agent-{n}" && context.hour >= 22 }};'
    ),
    (
        'permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp", resource)'
        ' when {{ resource.host == "api{n}.example.com" && resource.method == "GET" }};'
    ),
    (
        'permit (principal == Mesh::Workflow::"flow-{n}", action, resource is Mesh::Agent)'
        ' when {{ context.tier == "enterprise" }};'
    ),
)
#: Nothing in its head says whom it is about: every decision must evaluate all of these.
_OPEN = (
    "permit (principal, action, resource)"
    ' when {{ context.facts.hasTag("purpose") && context.facts.getTag("purpose") == "p{n}" }};'
)


@dataclass(frozen=True, slots=True)
class _Times:
    """Seconds each decision took by the wall clock and, on a machine with others, of a CPU."""

    wall: list[float]
    cpu: list[float]

    def __str__(self) -> str:
        p50, p99, cpu = (
            f"{percentile(values, share) * 1e6:.0f} µs"
            for values, share in ((self.wall, 0.5), (self.wall, 0.99), (self.cpu, 0.99))
        )
        return f"p50 {p50}, p99 {p99}, p99 of CPU {cpu}"


async def run() -> list[Figure]:
    """Return a row for each size of set, and one for a thousand policies that fit no drawer."""
    figures = [_figure(f"policy decision, {size} policies", _mixed(size)) for size in SIZES]
    figures.append(_figure("policy decision, 1000 that no index helps", _texts(1_000, (_OPEN,))))
    return figures


def _mixed(size: int) -> list[str]:
    return [*starter().values(), *_texts(size, _SHAPES)][:size]


def _texts(size: int, shapes: tuple[str, ...]) -> list[str]:
    return [shapes[n % len(shapes)].format(n=n) for n in range(size)]


def _figure(what: str, texts: list[str]) -> Figure:
    stored = [StoredPolicy(f"pol_{n}", f"p{n}", 1, text) for n, text in enumerate(texts)]
    policies = compile_set(1, stored)
    plain = cedarpy.PolicySet.from_str("\n".join(texts))
    questions = _questions(len(texts))

    def beside(question: Question) -> bool:
        words = asked(question, TENANT, AT)
        request = {
            "principal": words.principal,
            "action": f'Mesh::Action::"{words.action}"',
            "resource": words.resource,
            "context": words.context,
        }
        return cedarpy.is_authorized(request, plain, words.entities, schema()).allowed

    agreed = all(answer(q, TENANT, AT, policies).allowed == beside(q) for q in questions)
    ours = _timed(lambda question: answer(question, TENANT, AT, policies), questions)
    theirs = _timed(beside, questions)
    return Figure(
        what,
        str(ours) if agreed else "WRONG: decides otherwise than plain Cedar",
        "p99 < 1 ms",
        f"plain cedarpy, whole set: {theirs}",
        f"{percentile(ours.cpu, 0.99) / percentile(theirs.cpu, 0.99):.2f}",
    )


def _questions(size: int) -> list[Question]:
    """Ask about many different agents, addresses and workflows, as a day's traffic does."""
    context = Context("professional", {"purpose": "p8", "amount": 30})
    person, flow = ActorRef(id="usr_1", role="developer"), WorkflowRef(name="flow-7")
    found = []
    for n in range(0, max(size, 40), max(1, size // 40)):
        agent = AgentRef(id=f"agt_{n}", name=f"agent-{n}", kind="a2a", labels={"team": "blue"})
        host = EndpointRef.of(f"https://api{n}.example.com/v1/orders")
        found += [
            Question(person, Action.INVOKE_AGENT, agent, context),
            Question(flow, Action.INVOKE_AGENT, agent, context),
            Question(flow, Action.CALL_HTTP, host, context),
        ]
    return found


def _timed(decide: Callable[[Question], object], questions: list[Question]) -> _Times:
    """Time many decisions, in turn over the questions."""
    gc.collect()
    wall, cpu = [], []
    for at in range(ROUNDS):
        question = questions[at % len(questions)]
        began, began_cpu = perf_counter(), thread_time()
        decide(question)
        cpu.append(thread_time() - began_cpu)
        wall.append(perf_counter() - began)
    return _Times(wall, cpu)


if __name__ == "__main__":
    for row in asyncio.run(run()):
        print(f"{row.what}: {row.measured}; {row.yardstick}; {row.ratio} of its CPU at p99")
