"""An agent is called: permitted, tried again within bounds, remembered with its cost."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.contract.agents.processes import running
from tests.e2e.agents.conftest import SECRET, Room, plain

from ai_agent_mesh.plumbing.http.outbound import (
    AnswerTimedOut,
    ConnectionBroken,
    Unreachable,
)
from ai_agent_mesh.product.agents import (
    AgentBusy,
    AgentMissing,
    Asker,
    Credential,
    Draft,
    Invocation,
    InvocationInvalid,
    Kind,
    Price,
)
from ai_agent_mesh.product.governance import ActorRef, Forbidden
from ai_agent_mesh.product.telemetry import Kind as SpanKind


async def test_an_invocation_answers_and_is_remembered_with_its_cost(
    room: Room, honest: str
) -> None:
    price = Price(input_per_1k=Decimal("0.5"), output_per_1k=Decimal(2))
    draft = Draft(kind=Kind.A2A, url=honest, credential=Credential(value=SECRET), price=price)
    agent = await room.register(draft)
    answer = await room.invoke("turner", Invocation(input="stressed"))
    assert (answer.output, answer.text) == ({"echo": "desserts"}, "desserts")
    assert answer.cost == Decimal("0.0095")
    assert answer.attempts == 1
    (span,) = await room.spans()
    assert (span.agent_id, span.trace_id) == (agent.id, answer.trace_id)
    assert (span.input_tokens, span.output_tokens, span.cost) == (7, 3, Decimal("0.0095"))
    assert span.error_type is None
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"


async def test_a_forbidden_invocation_names_its_policy_and_never_reaches_the_agent(
    room: Room, honest: str
) -> None:
    draft = Draft(
        kind=Kind.A2A,
        url=honest,
        labels={"restricted": "true"},
        credential=Credential(value=SECRET),
    )
    await room.register(draft)
    async with httpx.AsyncClient() as http:
        await http.get(f"{honest}/seen")
        with pytest.raises(Forbidden) as raised:
            await room.invoke("turner", Invocation(input="x"))
        assert (await http.get(f"{honest}/seen")).json() == []
    assert raised.value.evidence["policies"] == ["restricted-agents"]
    assert await room.spans() == []
    (decision,) = await room.spans(SpanKind.POLICY_DECISION)
    assert decision.name


async def test_a_viewer_is_denied_by_default(room: Room) -> None:
    await room.register(plain("runner"))
    viewer = Asker(principal=ActorRef(id="usr_1", role="viewer"), tier="free")
    with pytest.raises(Forbidden):
        await room.invoke("runner", Invocation(input="x"), viewer)


async def test_no_connection_is_held_while_the_agent_is_waited_for(
    room: Room, hostile: str
) -> None:
    await room.register(plain("slow", f"{hostile}/hang"))
    invocation = Invocation(input="x", timeout_s=1)
    call = asyncio.create_task(room.invoke("slow", invocation))
    await asyncio.sleep(0.5)
    assert room.databases.app.in_use == 0
    with pytest.raises(AnswerTimedOut):
        await call
    (span,) = await room.spans()
    assert span.error_type == "AnswerTimedOut"
    assert 900_000 < span.duration_us < 2_000_000


async def test_a_busy_agent_is_asked_again_within_bounds(room: Room, honest: str) -> None:
    draft = plain("busy", f"{honest}/busy", credential=Credential(value=SECRET))
    await room.register(draft)
    with pytest.raises(AgentBusy) as raised:
        await room.invoke("busy", Invocation(input="x", attempts=2, timeout_s=10))
    assert raised.value.evidence["attempts"] == 2
    with pytest.raises(AgentBusy) as hurried:
        await room.invoke("busy", Invocation(input="x", attempts=9, timeout_s=0.5))
    assert hurried.value.evidence["attempts"] == 1


async def test_an_agent_that_fails_first_is_retried_with_one_key_and_acts_once(
    room: Room, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    options = ("--fail-first", "2", "--journal", str(journal))
    text = "Invoice: A-1\n2 x Chair @ 40.00 = 80.00\nTotal: 80.00\n"
    with running("examples.agents.invoice_clerk", *options) as url:
        await room.register(Draft(kind=Kind.A2A, url=url))
        said = Invocation(input={"act": "book", "text": text}, idempotency_key="run-1/book")
        answer = await room.invoke("invoice-clerk", said)
        again = await room.invoke("invoice-clerk", said)
    assert answer.attempts == 3
    assert answer.output["ok"]
    assert again.output == answer.output
    entries = [msgspec.json.decode(line) for line in journal.read_text().splitlines()]
    assert [(e["event"], e["key"]) for e in entries] == [
        ("effect", "run-1/book"),
        ("replay", "run-1/book"),
    ]


async def test_an_ambiguous_failure_is_repeated_for_an_idempotent_agent_only(
    room: Room, hostile: str
) -> None:
    await room.register(plain("once", f"{hostile}/half"))
    await room.register(plain("often", f"{hostile}/half", idempotent=True))
    for name, attempts in (("once", 1), ("often", 3)):
        with pytest.raises(ConnectionBroken) as raised:
            await room.invoke(name, Invocation(input="x"))
        assert raised.value.evidence["attempts"] == attempts


async def test_a_closed_port_is_tried_three_times(room: Room) -> None:
    await room.register(plain("closed"))
    with pytest.raises(Unreachable) as raised:
        await room.invoke("closed", Invocation(input="x"))
    assert raised.value.evidence["attempts"] == 3


async def test_a_wrong_invocation_reaches_nobody(room: Room) -> None:
    await room.register(plain("runner"))
    with pytest.raises(InvocationInvalid):
        await room.invoke("runner", Invocation(input="x", timeout_s=-1))
    for nobody in ("nobody", "agt_nobody", "no\0body", "\U0001f600"):
        with pytest.raises(AgentMissing):
            await room.invoke(nobody, Invocation(input="x"))
    assert await room.spans() == []
