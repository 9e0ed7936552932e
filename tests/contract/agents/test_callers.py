"""One contract, every caller: what they send, what they return, and what they do not fall for."""

import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.contract.agents.processes import running

from ai_agent_mesh.adapters.a2a import A2aCaller, A2aCards
from ai_agent_mesh.adapters.http import HttpCaller
from ai_agent_mesh.adapters.openai import OpenAiCaller
from ai_agent_mesh.kernel.errors import Denied, Fact
from ai_agent_mesh.plumbing.http import status_of
from ai_agent_mesh.plumbing.http.outbound import (
    AddressPolicy,
    AddressRefused,
    AnswerTimedOut,
    AnswerTooLarge,
    AnswerUnreadable,
    ConnectionBroken,
    RedirectRefused,
    Unreachable,
    UpstreamFailed,
    guarded_client,
)
from ai_agent_mesh.product.agents import (
    AgentBusy,
    AgentCaller,
    AgentFailed,
    AgentRefused,
    CardUnusable,
    Credential,
    Kind,
    Message,
    Reply,
    Target,
)

LIMIT = 1_000_000
KEY = "idm_contract"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OPENS = Credential(value="open-sesame")
WAYS = ["a2a over JSON-RPC", "a2a over HTTP+JSON", "http", "openai"]


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    with running("tests.contract.agents.honest") as url:
        yield url


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    with running("tests.contract.agents.hostile") as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    policy = AddressPolicy.parse(["127.0.0.0/8"])
    async with guarded_client(policy, body_limit_bytes=LIMIT) as http:
        yield http


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def caller(way: str, client: httpx.AsyncClient) -> AgentCaller:
    if way == "http":
        return HttpCaller(client)
    return OpenAiCaller(client) if way == "openai" else A2aCaller(client)


def target(way: str, base: str, path: str = "", credential: Credential | None = OPENS) -> Target:
    """Describe the agent of a kind at a server; a path leads to another behaviour."""
    if way == "http":
        return Target(kind=Kind.HTTP, url=base + (path or "/plain"), credential=credential)
    if way == "openai":
        url = base + (path or "/v1")
        return Target(kind=Kind.OPENAI, url=url, model="tiny", credential=credential)
    binding = "JSONRPC" if way == "a2a over JSON-RPC" else "HTTP+JSON"
    place = path or ("/a2a/rpc" if binding == "JSONRPC" else "/a2a/rest")
    interface = {"url": base + place, "protocolBinding": binding, "protocolVersion": "1.0"}
    card = {"name": "Turner", "version": "1", "supportedInterfaces": [interface]}
    return Target(kind=Kind.A2A, url=base, card=card, credential=credential)


async def say(caller: AgentCaller, whom: Target, text: str, deadline_s: float = 5) -> Reply:
    return await caller.call(
        whom, Message(text), deadline_s=deadline_s, idempotency_key=KEY, traceparent=TRACE
    )


async def test_an_agent_answers_with_output_text_and_tokens(
    way: str, caller: AgentCaller, honest: str
) -> None:
    reply = await say(caller, target(way, honest), "stressed")
    assert reply.text == "desserts"
    assert (reply.input_tokens, reply.output_tokens) == (7, 3)
    if way == "openai":
        assert (reply.output, reply.model) == ("desserts", "tiny")
    else:
        assert reply.output["echo"] == "desserts"


async def test_every_call_carries_the_key_the_trace_and_the_credential(
    way: str, caller: AgentCaller, honest: str
) -> None:
    async with httpx.AsyncClient() as plain:
        await plain.get(f"{honest}/seen")
        await say(caller, target(way, honest), "x")
        seen = (await plain.get(f"{honest}/seen")).json()
    assert seen
    for each in seen:
        assert each["headers"]["idempotency-key"] == KEY
        assert each["headers"]["traceparent"] == TRACE
        assert each["headers"]["authorization"] == "Bearer open-sesame"


async def test_a_call_without_the_credential_is_refused(
    way: str, caller: AgentCaller, honest: str
) -> None:
    with pytest.raises(AgentRefused) as raised:
        await say(caller, target(way, honest, credential=None), "x")
    assert "401" in raised.value.detail


async def test_an_agent_that_refuses_says_why(way: str, caller: AgentCaller, honest: str) -> None:
    with pytest.raises(AgentRefused) as raised:
        await say(caller, target(way, honest), "refuse")
    assert "It will not be done" in raised.value.detail
    assert status_of(raised.value) == 502


async def test_a_busy_agent_is_known_as_busy_and_by_its_wish_for_time(
    way: str, caller: AgentCaller, honest: str
) -> None:
    with pytest.raises(AgentBusy) as raised:
        await say(caller, target(way, honest, "/busy"), "x")
    assert raised.value.evidence["retry_after_s"] == 1


async def test_a_failing_agent_is_known_as_failed(
    way: str, caller: AgentCaller, honest: str
) -> None:
    with pytest.raises(AgentFailed) as raised:
        await say(caller, target(way, honest, "/broken"), "x")
    assert "500" in raised.value.detail


async def test_a_closed_port_is_unreachable_and_nothing_was_sent(
    way: str, caller: AgentCaller
) -> None:
    with pytest.raises(Unreachable) as raised:
        await say(caller, target(way, "http://127.0.0.1:1"), "x")
    assert not raised.value.sent


async def test_an_inward_address_is_refused(way: str, caller: AgentCaller) -> None:
    with pytest.raises(AddressRefused) as raised:
        await say(caller, target(way, "http://10.255.0.1"), "x")
    assert isinstance(raised.value, Denied)


HOSTILITIES: list[tuple[str, type[Fact]]] = [
    ("hang", AnswerTimedOut),
    ("drip", AnswerTimedOut),
    ("slow-head", AnswerTimedOut),
    ("pour", AnswerTooLarge),
    ("huge", AnswerTooLarge),
    ("bomb", AnswerTooLarge),
    ("half", ConnectionBroken),
    ("shut", ConnectionBroken),
    ("deep", AnswerUnreadable),
    ("garbage", AnswerUnreadable),
    ("nul", AnswerUnreadable),
    ("surrogate", AnswerUnreadable),
    ("number", AnswerUnreadable),
]


@pytest.mark.parametrize(("path", "expected"), HOSTILITIES)
async def test_a_hostile_answer_is_bounded_and_reported(
    way: str, caller: AgentCaller, hostile: str, path: str, expected: type[Fact]
) -> None:
    since = time.monotonic()
    with pytest.raises(expected) as raised:
        await say(caller, target(way, hostile, f"/{path}"), "x", deadline_s=1)
    assert time.monotonic() - since < 3
    assert isinstance(raised.value, UpstreamFailed)
    assert status_of(raised.value) == (504 if expected is AnswerTimedOut else 502)


@pytest.mark.parametrize("path", ["list", "wrong"])
@pytest.mark.parametrize("way", ["a2a over JSON-RPC", "a2a over HTTP+JSON", "openai"])
async def test_json_of_another_shape_is_unreadable(
    way: str, caller: AgentCaller, hostile: str, path: str
) -> None:
    with pytest.raises(AnswerUnreadable):
        await say(caller, target(way, hostile, f"/{path}"), "x", deadline_s=2)


async def test_a_redirect_to_the_metadata_service_is_refused(
    way: str, caller: AgentCaller, hostile: str
) -> None:
    with pytest.raises(RedirectRefused) as raised:
        await say(caller, target(way, hostile, "/elsewhere"), "x")
    assert "metadata" in raised.value.detail
    assert status_of(raised.value) == 502


async def test_a_healthy_agent_passes_its_check(way: str, caller: AgentCaller, honest: str) -> None:
    await caller.check(target(way, honest), deadline_s=5)


async def test_an_agent_that_hangs_fails_its_check(
    way: str, caller: AgentCaller, hostile: str
) -> None:
    whom = target(way, f"{hostile}/hang", "/hang")
    with pytest.raises(AnswerTimedOut):
        await caller.check(whom, deadline_s=0.5)


async def test_a_task_that_takes_too_long_is_cancelled(
    client: httpx.AsyncClient, honest: str
) -> None:
    caller = A2aCaller(client)
    async with httpx.AsyncClient() as plain:
        await plain.get(f"{honest}/seen")
        with pytest.raises(AnswerTimedOut):
            await say(caller, target(WAYS[0], honest), "sleep", deadline_s=1)
        seen = (await plain.get(f"{honest}/seen")).json()
    assert {"cancelled": True} in seen


async def test_a_text_answer_of_an_http_agent_is_its_output(
    client: httpx.AsyncClient, honest: str
) -> None:
    reply = await say(HttpCaller(client), target("http", honest), "as text")
    assert (reply.output, reply.text) == ("txet sa", "txet sa")


async def test_the_charset_of_an_answer_chooses_no_codec(
    client: httpx.AsyncClient, hostile: str
) -> None:
    reply = await say(HttpCaller(client), target("http", hostile, "/charset"), "x")
    assert reply.text.startswith("x")


async def test_a_card_is_read_understood_and_kept(client: httpx.AsyncClient, honest: str) -> None:
    whom = Target(kind=Kind.A2A, url=honest)
    card = await A2aCards(client).read(whom, deadline_s=5)
    assert (card.name, card.description) == ("Turner", "Turns a text round.")
    assert card.content["skills"][0]["id"] == "turn"
    assert card.url == f"{honest}/.well-known/agent-card.json"


@pytest.mark.parametrize(
    ("path", "words"), [("list", "not an agent card"), ("wrong", "names no agent")]
)
async def test_a_wrong_card_is_refused_with_its_reason(
    client: httpx.AsyncClient, hostile: str, path: str, words: str
) -> None:
    whom = Target(kind=Kind.A2A, url=f"{hostile}/{path}")
    with pytest.raises(CardUnusable) as raised:
        await A2aCards(client).read(whom, deadline_s=2)
    assert words in raised.value.detail


async def test_a_credential_does_not_follow_a_card_to_another_origin(
    client: httpx.AsyncClient, honest: str
) -> None:
    whom = target(WAYS[0], "http://127.0.0.2:9")
    elsewhere = Target(kind=Kind.A2A, url=honest, card=whom.card, credential=OPENS)
    with pytest.raises(CardUnusable) as raised:
        await say(A2aCaller(client), elsewhere, "x")
    assert "credential does not go" in raised.value.detail
