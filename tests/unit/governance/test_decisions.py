"""What the starter set allows, and that whatever goes wrong is a denial."""

from datetime import UTC, datetime

import pytest

from ai_agent_mesh.product.governance import EndpointMalformed, starter
from ai_agent_mesh.product.governance.engine import answer, compile_set
from ai_agent_mesh.product.governance.model import (
    Action,
    ActorRef,
    AgentRef,
    Context,
    Decision,
    EndpointRef,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.rules import checked, described
from ai_agent_mesh.product.governance.store import StoredPolicy

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
DEVELOPER = ActorRef(id="key_1", role="developer")
VIEWER = ActorRef(id="usr_1", role="viewer")
FLOW = WorkflowRef(name="orders", version="1.0.0")
OPEN_FLOW = WorkflowRef(name="orders", labels={"https": "any"})
NARROW_FLOW = WorkflowRef(name="orders", labels={"https": "api.example.com"})
AGENT = AgentRef(id="agt_1", name="sums", kind="a2a")
RESTRICTED = AgentRef(id="agt_2", name="payments", kind="http", labels={"restricted": "true"})
SAFE = EndpointRef.of("https://api.example.com/v1/orders?x=1", "post")
PLAIN = EndpointRef.of("http://api.example.com/")


def decide(question: Question, *texts: str) -> Decision:
    given = dict(enumerate(texts)) if texts else starter()
    stored = [StoredPolicy(f"pol_{name}", str(name), 1, text) for name, text in given.items()]
    return answer(question, "tnt_1", AT, compile_set(7, stored))


@pytest.mark.parametrize(
    ("principal", "action", "resource", "determining"),
    [
        (DEVELOPER, Action.INVOKE_AGENT, AGENT, "people-invoke-agents"),
        (VIEWER, Action.INVOKE_AGENT, AGENT, None),
        (DEVELOPER, Action.START_RUN, FLOW, "people-start-runs"),
        (VIEWER, Action.START_RUN, FLOW, None),
        (FLOW, Action.INVOKE_AGENT, AGENT, "workflows-invoke-agents"),
        (DEVELOPER, Action.INVOKE_AGENT, RESTRICTED, "restricted-agents"),
        (FLOW, Action.INVOKE_AGENT, RESTRICTED, "restricted-agents"),
        (OPEN_FLOW, Action.CALL_HTTP, SAFE, "workflows-call-https"),
        (NARROW_FLOW, Action.CALL_HTTP, SAFE, "workflows-call-https"),
        (NARROW_FLOW, Action.CALL_HTTP, EndpointRef.of("https://other.example.com"), None),
        (OPEN_FLOW, Action.CALL_HTTP, PLAIN, None),
        (FLOW, Action.CALL_HTTP, SAFE, None),
        (DEVELOPER, Action.CALL_HTTP, SAFE, None),
    ],
)
def test_the_starter_set_decides_as_its_descriptions_say(
    principal: ActorRef | WorkflowRef,
    action: Action,
    resource: AgentRef | EndpointRef | WorkflowRef,
    determining: str | None,
) -> None:
    decision = decide(Question(principal, action, resource))
    assert decision.determining == ((determining,) if determining else ())
    assert decision.allowed is (determining not in {None, "restricted-agents"})
    assert decision.policy_version == 7


def test_every_starter_policy_is_valid_and_says_what_it_is_for() -> None:
    for name, text in starter().items():
        checked(name, text)
        assert described(text).endswith("."), name


def test_without_a_policy_everything_is_denied() -> None:
    decision = answer(
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT), "tnt_1", AT, compile_set(0, [])
    )
    assert not decision.allowed
    assert decision.reasons == (
        "no policy permits invokeAgent here, and what is not permitted is denied",
    )


def test_a_forbid_that_errors_denies_although_the_engine_would_skip_it() -> None:
    decision = decide(
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT, Context("free", {"n": 2**62})),
        "permit (principal, action, resource);",
        'forbid (principal, action, resource) when { context.figures.hasTag("n") &&'
        ' context.figures.getTag("n") * 9 > 10 };',
    )
    assert not decision.allowed
    assert decision.determining == ("1",)
    assert "could not be evaluated" in decision.reasons[0]


def test_a_policy_that_does_not_fit_the_schema_shuts_the_gate() -> None:
    decision = decide(
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT),
        "permit (principal, action, resource);",
        'forbid (principal, action, resource) when { resource.colour == "red" };',
    )
    assert not decision.allowed
    assert "does not fit the schema" in decision.reasons[0]


@pytest.mark.parametrize(
    "question",
    [
        Question(DEVELOPER, Action.INVOKE_AGENT, SAFE),
        Question(DEVELOPER, Action.CALL_HTTP, AGENT),
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT, Context("free", {"n": 2**70})),
        Question(DEVELOPER, Action.INVOKE_AGENT, AgentRef(id="agt", name="\ud800", kind="http")),
    ],
)
def test_a_question_that_the_schema_does_not_know_is_denied(question: Question) -> None:
    decision = decide(question, "permit (principal, action, resource);")
    assert not decision.allowed
    assert decision.reasons


def test_facts_and_figures_are_there_to_be_asked_for() -> None:
    text = (
        'permit (principal, action, resource) when { context.facts.hasTag("colour") &&'
        ' context.facts.getTag("colour") == "red" && context.figures.hasTag("amount") &&'
        ' context.figures.getTag("amount") < 100 && context.facts.hasTag("urgent") &&'
        ' context.facts.getTag("urgent") == "true" && context.hour == 9 && context.weekday == 1 };'
    )
    facts: dict[str, str | int | bool] = {"colour": "red", "amount": 30, "urgent": True}
    assert decide(
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT, Context("free", facts)), text
    ).allowed
    dear: dict[str, str | int | bool] = {**facts, "amount": 300}
    assert not decide(
        Question(DEVELOPER, Action.INVOKE_AGENT, AGENT, Context("free", dear)), text
    ).allowed


def test_who_started_a_run_can_be_asked_for() -> None:
    text = (
        "permit (principal is Mesh::Workflow, action, resource is Mesh::Agent) when"
        ' { principal has startedBy && principal.startedBy.role == "owner" };'
    )
    started = WorkflowRef(name="orders", started_by=ActorRef(id="usr_9", role="owner"))
    assert decide(Question(started, Action.INVOKE_AGENT, AGENT), text).allowed
    assert not decide(Question(FLOW, Action.INVOKE_AGENT, AGENT), text).allowed


def test_an_address_is_judged_as_it_will_be_sent() -> None:
    sent = EndpointRef.of("HTTPS://Bücher.Example.COM.:8443/a/%61dmin?x=1#y", "post")
    assert sent == EndpointRef(
        scheme="https", host="xn--bcher-kva.example.com", port=8443, path="/a/admin", method="POST"
    )


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example.com", "/relative", "https://", "https://a:99999/", "https://a:b/",
     "https://a/%2e%2e/admin", "https://a/x/%2e%2e%2fadmin", "https://a/b\\..\\c", "", "\0"],
)  # fmt: skip
def test_an_address_that_could_mean_two_things_is_refused(url: str) -> None:
    with pytest.raises(EndpointMalformed):
        EndpointRef.of(url)


def test_a_workflow_may_start_itself_again() -> None:
    text = 'permit (principal, action == Mesh::Action::"startRun", resource);'
    assert decide(Question(FLOW, Action.START_RUN, FLOW), text).allowed
