"""What may be registered, tried again, called healthy, and charged."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.plumbing.http.outbound import (
    AnswerTimedOut,
    AnswerTooLarge,
    ConnectionBroken,
    NameUnknown,
    Unreachable,
    UpstreamFailed,
)
from ai_agent_mesh.product.agents import (
    AgentBusy,
    AgentFailed,
    AgentInvalid,
    AgentRefused,
    Credential,
    Draft,
    Health,
    HealthState,
    Invocation,
    InvocationInvalid,
    Kind,
    Price,
    Reply,
    origin_of,
)
from ai_agent_mesh.product.agents.rules import (
    LONGEST_WAIT_S,
    check_draft,
    check_invocation,
    cost_of,
    health_after,
    may_repeat,
    merged_labels,
    name_from,
    wait_s,
)

GOOD = Draft(kind=Kind.HTTP, url="https://agent.example/run", name="runner")


def places(draft: Draft) -> set[str]:
    """Return where a draft is wrong."""
    with pytest.raises(AgentInvalid) as raised:
        check_draft(draft)
    return {fault.place for fault in raised.value.faults}


def changed(**fields: object) -> Draft:
    return msgspec.structs.replace(GOOD, **fields)


def test_a_good_draft_passes() -> None:
    check_draft(GOOD)
    check_draft(changed(kind=Kind.A2A, name=None))
    check_draft(changed(kind=Kind.OPENAI, model="m", system_prompt="Be brief."))
    check_draft(changed(labels={"team": "billing", "app.example/tier": "1"}))


def test_every_mistake_is_named_at_once() -> None:
    draft = changed(
        name="no spaces",
        url="ftp://agent.example",
        labels={"Team": "x", "ok": "y" * 129},
        model="m",
        timeout_s=0,
        credential=Credential(value="a\r\nHost: evil", header="Host", scheme="two words"),
        price=Price(input_per_1k=Decimal(-1), output_per_1k=Decimal("NaN"), currency="usd"),
    )
    assert places(draft) == {
        "/name",
        "/url",
        "/labels/Team",
        "/labels/ok",
        "/model",
        "/timeout_s",
        "/credential/header",
        "/credential/scheme",
        "/credential/value",
        "/price/input_per_1k",
        "/price/output_per_1k",
        "/price/currency",
    }


@pytest.mark.parametrize(
    "url",
    [
        "",
        "agent.example",
        "//agent.example",
        "http://",
        "http://agent.example:99999",
        "http://user:pass@agent.example",
        "http://agent.example/\0",
        "http://agent.example/a b",
        "javascript:alert(1)",
        "http://[::1",
        "http://" + "a" * 2000,
    ],
)
def test_an_address_that_cannot_be_called_is_refused(url: str) -> None:
    assert places(changed(url=url)) == {"/url"}


def test_only_an_a2a_agent_may_go_without_a_name() -> None:
    assert places(changed(name=None)) == {"/name"}


def test_no_name_looks_like_an_id() -> None:
    assert places(changed(name="agt_1")) == {"/name"}
    assert name_from("AGT_1 of ours") == "agt-1-of-ours"


def test_a_model_belongs_to_openai_agents_and_they_need_one() -> None:
    assert places(changed(kind=Kind.OPENAI)) == {"/model"}
    assert places(changed(model="m", system_prompt="x")) == {"/model", "/system_prompt"}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_the_database_cannot_keep_is_refused(text: str) -> None:
    assert places(changed(description=text)) == {"/description"}
    assert places(changed(labels={"k": text})) == {"/labels/k"}


def test_a_credential_shows_its_value_in_no_representation() -> None:
    assert "s3cret" not in repr(changed(credential=Credential(value="s3cret")))


def test_an_invocation_has_bounds() -> None:
    check_invocation(Invocation(input=None, timeout_s=1, idempotency_key="k-1"))
    with pytest.raises(InvocationInvalid) as raised:
        check_invocation(Invocation(input=None, timeout_s=1e9, idempotency_key="a\nb"))
    assert {f.place for f in raised.value.faults} == {"/timeout_s", "/idempotency_key"}


@pytest.mark.parametrize(
    ("failure", "usual", "idempotent"),
    [
        (Unreachable(host="a", port=1, reason="r"), True, True),
        (NameUnknown(host="a", reason="r"), True, True),
        (AgentBusy(host="a", status=503), True, True),
        (ConnectionBroken(host="a", reason="r"), False, True),
        (AnswerTimedOut(host="a", seconds="1"), False, True),
        (AnswerTooLarge(host="a", limit_bytes=1), False, False),
        (AgentFailed(host="a", reason="r"), False, False),
        (AgentRefused(host="a", reason="r"), False, False),
    ],
)
def test_only_safe_failures_are_repeated(
    failure: UpstreamFailed, usual: bool, idempotent: bool
) -> None:
    assert may_repeat(failure, idempotent=False) is usual
    assert may_repeat(failure, idempotent=True) is idempotent


@given(st.integers(1, 1000), st.none() | st.floats(0, 1e6))
def test_a_wait_is_never_long_and_never_shorter_than_asked_within_bounds(
    tries: int, asked: float | None
) -> None:
    waited = wait_s(tries, asked)
    assert 0 < waited <= LONGEST_WAIT_S
    assert waited >= min(asked or 0, LONGEST_WAIT_S)


def test_three_failures_in_a_row_make_an_agent_unhealthy_and_one_success_heals_it() -> None:
    health = Health(state=HealthState.HEALTHY)
    seen = []
    for error in ("down", "down", "down", "down", None):
        state, failures = health_after(health, error)
        health = Health(state=state, consecutive_failures=failures)
        seen.append((state.value, failures))
    assert seen == [
        ("healthy", 1),
        ("healthy", 2),
        ("unhealthy", 3),
        ("unhealthy", 4),
        ("healthy", 0),
    ]


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_cost_is_exact(given_: int, taken: int) -> None:
    price = Price(input_per_1k=Decimal("0.15"), output_per_1k=Decimal("0.60"))
    reply = Reply(output="", text="", input_tokens=given_, output_tokens=taken)
    assert cost_of(price, reply) == (Decimal(15) * given_ + Decimal(60) * taken) / Decimal(100_000)


def test_no_price_or_no_count_means_no_cost() -> None:
    counted = Reply(output="", text="", input_tokens=1, output_tokens=1)
    assert cost_of(None, counted) is None
    assert cost_of(Price(), Reply(output="", text="")) is None


labels = st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3))


@given(labels, st.dictionaries(st.sampled_from("abcd"), st.none() | st.text(max_size=3)))
def test_a_merge_patch_of_labels_is_applied_key_by_key(
    old: dict[str, str], new: dict[str, str | None]
) -> None:
    merged = merged_labels(old, new)
    for key in "abcd":
        assert merged.get(key) == (new[key] if key in new else old.get(key))


def test_origins_differ_by_scheme_host_and_port_alone() -> None:
    assert origin_of("https://A.example/x") == origin_of("https://a.example:443/y?z")
    assert origin_of("http://a.example") != origin_of("https://a.example")
    assert origin_of("http://a.example:8080") != origin_of("http://a.example")
