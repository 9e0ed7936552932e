"""The example agents as processes: their cards, their work, and each outside effect once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.contract.agents.processes import running

from ai_agent_mesh.adapters.a2a import A2aCaller, A2aCards
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy, guarded_client
from ai_agent_mesh.product.agents import (
    AgentBusy,
    AgentRefused,
    Credential,
    Kind,
    Message,
    Reply,
    Target,
)

CLERK = "examples.agents.invoice_clerk"
ANALYST = "examples.agents.document_analyst"
BOOK = {"act": "book", "text": "Invoice: A-1\n2 x Chair @ 40.00 = 80.00\nTotal: 80.00\n"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    policy = AddressPolicy.parse(["127.0.0.0/8"])
    async with guarded_client(policy, body_limit_bytes=1_000_000) as http:
        yield http


async def meet(client: httpx.AsyncClient, url: str, token: str | None = None) -> Target:
    """Read the card of an agent and return how to reach it."""
    credential = None if token is None else Credential(value=token)
    bare = Target(kind=Kind.A2A, url=url, credential=credential)
    card = await A2aCards(client).read(bare, deadline_s=5)
    return msgspec.structs.replace(bare, card=card.content)


async def say(client: httpx.AsyncClient, whom: Target, said: object, key: str) -> Reply:
    caller = A2aCaller(client)
    return await caller.call(
        whom, Message(said), deadline_s=10, idempotency_key=key, traceparent=None
    )


def journal_of(path: Path) -> list[tuple[str, str]]:
    entries = [msgspec.json.decode(line) for line in path.read_text().splitlines()]
    return [(entry["event"], entry["key"]) for entry in entries]


async def test_the_analyst_reads_a_text_over_json_rpc(client: httpx.AsyncClient) -> None:
    with running(ANALYST) as url:
        whom = await meet(client, url)
        assert whom.card is not None
        assert whom.card["supportedInterfaces"][0]["protocolBinding"] == "JSONRPC"
        reply = await say(client, whom, "Dear all, the mesh runs.", "k1")
    assert reply.output["kind"] == "letter"
    assert reply.output["words"] == 5
    assert isinstance(reply.output["words"], int)


async def test_a_repeated_key_acts_once_also_after_a_restart(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    journal = tmp_path / "books.jsonl"
    with running(CLERK, "--journal", str(journal)) as url:
        whom = await meet(client, url)
        assert whom.card is not None
        assert whom.card["supportedInterfaces"][0]["protocolBinding"] == "HTTP+JSON"
        both = await asyncio.gather(*(say(client, whom, BOOK, "same") for _ in range(2)))
        await say(client, whom, BOOK, "other")
        await say(client, whom, {**BOOK, "act": "check"}, "checked")
    with running(CLERK, "--journal", str(journal)) as url:
        later = await say(client, await meet(client, url), BOOK, "same")
    assert both[0].output == both[1].output == later.output
    assert sorted(journal_of(journal)) == [
        ("effect", "other"),
        ("effect", "same"),
        ("replay", "same"),
        ("replay", "same"),
    ]


async def test_an_agent_fails_as_often_as_it_is_told(client: httpx.AsyncClient) -> None:
    for module in (CLERK, ANALYST):
        with running(module, "--fail-first", "1") as url:
            whom = await meet(client, url)
            with pytest.raises(AgentBusy) as raised:
                await say(client, whom, BOOK, "k")
            assert raised.value.evidence["status"] == 503
            await say(client, whom, BOOK, "k")


async def test_an_agent_with_a_token_answers_its_holder_only(client: httpx.AsyncClient) -> None:
    with running(ANALYST, "--token", "t0ken") as url:
        with pytest.raises(AgentRefused):
            await say(client, await meet(client, url), "Hello.", "k")
        assert (await say(client, await meet(client, url, "t0ken"), "Hello.", "k")).text


@pytest.fixture
def model() -> Iterator[str]:
    with running("tests.contract.agents.honest") as url:
        yield url


async def test_a_chat_endpoint_becomes_an_a2a_agent_that_counts_tokens(
    client: httpx.AsyncClient, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{model}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "open-sesame")
    with running("examples.agents.openai_chat") as url:
        reply = await say(client, await meet(client, url), "stressed", "k")
    assert reply.text == "desserts"
    assert (reply.input_tokens, reply.output_tokens) == (7, 3)


def test_the_chat_agent_says_what_it_lacks() -> None:
    env = {key: value for key, value in os.environ.items() if key != "OPENAI_BASE_URL"}
    command = [sys.executable, "-m", "examples.agents.openai_chat"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "OPENAI_BASE_URL" in done.stderr
