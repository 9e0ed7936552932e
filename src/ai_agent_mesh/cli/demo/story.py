"""The story: three tenants, their agents, a killed worker, a denial, a limit, an outage, proof."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ai_agent_mesh.cli.demo.kill import survive
from ai_agent_mesh.cli.demo.outage import suffer
from ai_agent_mesh.cli.demo.stage import EXAMPLES, Customer, Stage
from ai_agent_mesh.cli.demo.telling import Telling
from ai_agent_mesh.cli.demo.waiting import must
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements import Statement, as_brief, as_text

CUSTOMERS = (
    ("fern", "free", "0"),
    ("pine", "professional", "499.00"),
    ("oak", "enterprise", "9000.00"),
)
WORKERS = 2
_MINUTE = "%Y-%m-%dT%H:%M:00Z"


async def play(stage: Stage, outage_s: int) -> None:
    """Go through all acts; the first that does not come out as promised ends the demo."""
    tell = Telling()
    began = datetime.now(UTC)
    tell.act("The system stands")
    tell.found(f"API {stage.api}, status page {stage.status}")
    journal = stage.data.parent / "journal.jsonl"
    await asyncio.gather(*(stage.worker() for _ in range(WORKERS)))
    agents = await _agents(stage, journal)
    tell.found(f"{WORKERS} workers and {len(agents)} agents, each a process of its own")
    customers = [await Customer.opened(stage, *terms) for terms in CUSTOMERS]
    fern, _, oak = customers
    try:
        await _register(tell, customers, agents)
        await _decide(tell, oak, agents[0])
        if len(agents) > 2:
            await _chat(tell, oak)
        await survive(tell, stage, oak, journal)
        await _exhaust(tell, fern)
        ended = await suffer(tell, stage, oak, outage_s)
        await _prove(tell, stage, customers, Span(began, ended))
    finally:
        for customer in customers:
            await customer.close()


async def _agents(stage: Stage, journal: Path) -> list[str]:
    """Start the example agents; the clerk works slowly, and is busy at first."""
    kept = ("--journal", str(journal))
    starting = [
        stage.agent("document_analyst", *kept),
        stage.agent("invoice_clerk", *kept, "--delay=2", "--fail-first=4"),
    ]
    if stage.env.get("OPENAI_BASE_URL"):
        starting.append(stage.agent("openai_chat"))
    return list(await asyncio.gather(*starting))


async def _register(tell: Telling, customers: list[Customer], agents: list[str]) -> None:
    tell.act("Three tenants register the agents from their cards")
    for customer in customers:
        cards = [
            await customer.ask("POST", "/v1/agents", {"kind": "a2a", "url": url}) for url in agents
        ]
        tier = (await customer.ask("GET", "/v1/tenant"))["tenant"]["tier"]
        tell.found(f"{customer.name} ({tier}): {', '.join(card['name'] for card in cards)}")


async def _decide(tell: Telling, oak: Customer, url: str) -> None:
    tell.act("Policies decide, and say which of them did")
    text = (EXAMPLES / "policies" / "office-hours.cedar").read_text()
    await oak.ask("PUT", "/v1/policies/office-hours", {"text": text})
    policies = await oak.ask("GET", "/v1/policies")
    tell.found(f"in force: {', '.join(policy['name'] for policy in policies['items'])}")
    sealed = {"kind": "a2a", "url": url, "name": "sealed", "labels": {"restricted": "true"}}
    await oak.ask("POST", "/v1/agents", sealed)
    body = {"input": {"text": "Dear all, the meeting is on Monday."}}
    denied = await oak.send("POST", "/v1/agents/sealed:invoke", body)
    must(denied.status_code == 403, f"a forbidden call was answered {denied.status_code}")
    tell.found(f"the sealed agent: {denied.status_code}, {denied.json()['detail']}")
    served = await oak.ask("POST", "/v1/agents/document-analyst:invoke", body)
    tell.found(f"the analyst: 200, this is a {served['output']['kind']}")


async def _chat(tell: Telling, oak: Customer) -> None:
    tell.act("A language model answers, and its tokens are counted")
    body = {"input": {"text": "In one sentence: what does a service level agreement promise?"}}
    answer = await oak.ask("POST", "/v1/agents/openai-chat:invoke", body)
    tell.found(f"{answer['text']} (used: {answer['usage']})")


async def _exhaust(tell: Telling, fern: Customer) -> None:
    tell.act("The free tier runs into its rate limit")
    served: Counter[int] = Counter()
    with tell.progress("reading as fast as it goes"):
        while not served[429] and served.total() < 10_000:
            answer = await fern.send("GET", "/v1/agents")
            served[answer.status_code] += 1
    must(served[429], "ten thousand reads were served on the free tier")
    tell.found(f"{served[200]} more reads, then 429: {answer.json()['detail']}")
    policy, again = answer.headers["ratelimit-policy"], answer.headers["retry-after"]
    tell.found(f"RateLimit-Policy: {policy}; Retry-After: {again}")


async def _prove(tell: Telling, stage: Stage, customers: list[Customer], story: Span) -> None:
    tell.act("Each tenant's service level over this span, and its proof")
    span = ("--since", f"{story.since:{_MINUTE}}", "--until", f"{story.until:{_MINUTE}}")
    words = ("sla", "statement", *span, "--json", "--tenant")
    answers = await asyncio.gather(*(stage.mesh(*words, one.name) for one in customers))
    oak = customers[-1].name
    *others, last = [msgspec.json.decode(answer, type=Statement) for answer in answers]
    for text in [*map(as_brief, others), as_text(last)]:
        tell.lines(text)
        tell.found("")
    tell.found(f"mesh credit close, for {oak}'s span as a calendar month is closed by itself:")
    tell.lines(await stage.mesh("credit", "close", *span, "--tenant", oak))
    tell.found("mesh sla verify, every figure and the credit again from the ledger's entries:")
    with tell.progress("recomputing"):
        tell.lines(await stage.mesh("sla", "verify", *span))
    proof = str(stage.data.parent / "proof.ndjson")
    tell.found(
        f"mesh sla verify FILE, {oak}'s statement again from one file, without the database:"
    )
    with tell.progress("gathering the evidence"):
        await stage.mesh("sla", "statement", *span, "--tenant", oak, "--bundle", proof)
        tell.lines(await stage.mesh("sla", "verify", proof))
    tell.found(f"The status page is at {stage.status} for as long as the demo runs.")
