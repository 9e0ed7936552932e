"""Looking only at the policies that could apply never changes what is decided."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_agent_mesh.product.governance.cedar import asked
from ai_agent_mesh.product.governance.engine import answer, compile_set
from ai_agent_mesh.product.governance.model import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    EndpointRef,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.store import StoredPolicy

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
NAMES = ("a", "b", "c")
ROLES = ("owner", "viewer")

principals = st.sampled_from(
    ["principal", "principal is Mesh::Actor", "principal is Mesh::Workflow",
     'principal == Mesh::Actor::"usr_1"', 'principal in Mesh::Workflow::"a"',
     'principal is Mesh::Actor in Mesh::Actor::"key_2"']
)  # fmt: skip
actions = st.sampled_from(
    ["action", 'action == Mesh::Action::"invokeAgent"', 'action == Mesh::Action::"callHttp"',
     'action in [Mesh::Action::"invokeAgent", Mesh::Action::"startRun"]',
     'action in [Mesh::Action::"callHttp", Mesh::Action::"callHttp"]']
)  # fmt: skip
resources = st.sampled_from(
    ["resource", "resource is Mesh::Agent", 'resource == Mesh::Agent::"agt_a"',
     'resource in Mesh::Agent::"agt_b"', "resource is Mesh::Endpoint", "resource is Mesh::Workflow"]
)  # fmt: skip
CONDITIONS = ['resource.name == "a"', '"b" == resource.name', 'resource.host == "a"',
         'resource.kind == "a2a" && resource.name == "c"', 'resource.tenant == "tnt_1"',
         'resource.name == "a" || context.hour == 9',
         '(resource.name == "b" && context.weekday == 1)',
         'context.facts.hasTag("n") && context.facts.getTag("n") == "x"',
         'context.figures.hasTag("n") && context.figures.getTag("n") * 9223372036854775807 > 0',
         "9223372036854775807 + context.hour > 0", 'principal.role == "owner"',
         'resource.name == "a" && 9223372036854775807 + context.hour > 0',
         '9223372036854775807 + context.hour > 0 && resource.name == "a"',
         '!(resource.name == "a")', 'resource.name != "a"', "true"]  # fmt: skip
conditions = st.lists(st.sampled_from(CONDITIONS), max_size=2)


@st.composite
def statements(draw: st.DrawFn) -> str:
    effect = draw(st.sampled_from(["permit", "permit", "forbid"]))
    head = f"{effect} ({draw(principals)}, {draw(actions)}, {draw(resources)})"
    words = st.sampled_from(["when", "when", "unless"])
    return head + "".join(f" {draw(words)} {{ {c} }}" for c in draw(conditions)) + ";"


labels = st.dictionaries(st.sampled_from(["restricted", "https"]), st.sampled_from(["true", "a"]))
actors = st.builds(ActorRef, id=st.sampled_from(["usr_1", "key_2"]), role=st.sampled_from(ROLES))
workflows = st.builds(WorkflowRef, name=st.sampled_from(NAMES), labels=labels)
agents = st.builds(
    lambda name, kind, tags: AgentRef(id=f"agt_{name}", name=name, kind=kind, labels=tags),
    st.sampled_from(NAMES),
    st.sampled_from(["a2a", "http"]),
    labels,
)
endpoints = st.builds(
    EndpointRef, scheme=st.just("https"), host=st.sampled_from(NAMES), port=st.just(443)
)
contexts = st.builds(
    Context,
    st.just("free"),
    st.dictionaries(st.sampled_from(["n", "m"]), st.sampled_from(["x", 3, True])),
)
questions = st.builds(
    Question,
    principal=st.one_of(actors, workflows),
    action=st.sampled_from(Action),
    resource=st.one_of(agents, endpoints, workflows),
    context=contexts,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(statements(), max_size=12), questions)
def test_a_slice_decides_as_the_whole_set_does(policies: list[str], question: Question) -> None:
    stored = [StoredPolicy(f"pol_{at}", f"p{at}", 1, text) for at, text in enumerate(policies)]
    # What the schema does not admit is never in force; the rest must agree, errors and all.
    fitting = [one for one in stored if not compile_set(1, [one]).unfit]
    made = compile_set(1, fitting)
    sliced = answer(question, "tnt_1", AT, made)
    whole = answer(question, "tnt_1", AT, made, sliced=False)
    assert (sliced.allowed, sliced.determining, sorted(sliced.reasons)) == (
        whole.allowed,
        whole.determining,
        sorted(whole.reasons),
    )


@pytest.mark.parametrize(
    "clauses", ["when {{ {} }}", "unless {{ {} }}", "when {{ true }} when {{ {} }}"]
)
def test_every_shape_of_condition_decides_alike_sliced_and_whole(clauses: str) -> None:
    """Random sets seldom turn on one condition; here each stands alone, on every agent."""
    head = 'permit (principal is Mesh::Actor, action == Mesh::Action::"invokeAgent", resource)'
    decided = set()
    for condition in (c for c in CONDITIONS if "host" not in c):
        stored = [StoredPolicy("pol_1", "p", 1, f"{head} {clauses.format(condition)};")]
        made = compile_set(1, stored)
        assert not made.unfit, condition
        for name, kind in product(NAMES, ("a2a", "http")):
            agent = AgentRef(id=f"agt_{name}", name=name, kind=kind)
            question = Question(ActorRef(id="usr_1", role="owner"), Action.INVOKE_AGENT, agent)
            sliced = answer(question, "tnt_1", AT, made)
            whole = answer(question, "tnt_1", AT, made, sliced=False)
            assert (sliced.allowed, sliced.reasons) == (whole.allowed, whole.reasons), condition
            decided.add(whole.allowed)
    assert decided == {True, False}


def test_a_slice_leaves_out_what_cannot_apply() -> None:
    head = "permit (principal, action, resource is Mesh::Agent) when"
    texts = [f'{head} {{ resource.name == "n{at}" }};' for at in range(50)]
    stored = [StoredPolicy(f"pol_{at}", f"p{at}", 1, text) for at, text in enumerate(texts)]
    question = Question(
        ActorRef(id="usr_1", role="owner"),
        Action.INVOKE_AGENT,
        AgentRef(id="agt_7", name="n7", kind="http"),
    )
    made = compile_set(1, stored)
    assert len(made.whole()) == 50
    assert len(made.slice(asked(question, "tnt_1", AT))) == 1
    assert answer(question, "tnt_1", AT, made).determining == ("p7",)
