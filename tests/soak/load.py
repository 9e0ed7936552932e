"""Callers that behave as good clients do, and write down every answer that they were given.

What creates carries an Idempotency-Key and is repeated, at either door, until it is answered; what
changes says which version it changes, and looks again when an answer was lost.
"""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from tests.soak.system import Customer, System

from ai_agent_mesh.product.ledger import Receipt

Json = Any  # what JSON can say

#: Each run does so many effects outside.
EFFECTS = 3
WORKFLOW = """
document: {{dsl: '1.0.0', namespace: soak, name: soak, version: 1.0.0}}
do:
  - first: {{call: http, with: {{method: post, endpoint: '{url}/effect',
      body: '${{ {{run: $workflow.id, n: 1}} }}'}}}}
  - pause: {{wait: {{milliseconds: 50}}}}
  - second: {{call: a2a, with: {{agent: recorder, data: '${{ {{run: $workflow.id, n: 2}} }}'}}}}
  - third: {{call: http, with: {{method: post, endpoint: '{url}/effect',
      body: '${{ {{run: $workflow.id, n: 3}} }}'}}}}
"""
ANY_HTTP = """permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp",
  resource is Mesh::Endpoint);"""


@dataclass
class Given:
    """What callers were told."""

    #: Every receipt, and the status of its answer.
    receipts: dict[Receipt, int] = field(default_factory=dict)
    #: Answers to known callers that carried none: each is a call without proof.
    bare: Counter[int] = field(default_factory=Counter)
    #: Calls whose connection broke before an answer.
    unanswered: int = 0
    #: The object that each Idempotency-Key was answered with.
    made: dict[str, set[str]] = field(default_factory=dict)
    #: Runs that were accepted.
    runs: set[str] = field(default_factory=set)
    #: Invocations that were answered: the key and the number sent with it.
    invoked: set[str] = field(default_factory=set)


class Load:
    """Callers of some tenants at every API of a system, until they are told to stop."""

    def __init__(self, system: System, customers: list[Customer], random: Random) -> None:
        self.given = Given()
        self._system = system
        self._customers = customers
        self._random = random
        self._stop = asyncio.Event()
        self._names = itertools.count()
        self._calling: list[asyncio.Task[None]] = []
        self._client = httpx.AsyncClient(timeout=30, trust_env=False)

    async def prepare(self) -> None:
        """Give each tenant the workflow, its policy and the agent that it calls."""
        url = self._system.recorder
        agent = {"name": "recorder", "kind": "http", "url": f"{url}/effect"}
        for one in self._customers:
            await self._create(one, "/v1/agents", agent)
            await self._until_answered(one, "PUT", "/v1/policies/any-http", {"text": ANY_HTTP})
            await self._create(one, "/v1/workflows", WORKFLOW.format(url=url))

    def start(self, callers: int = 2) -> None:
        """Let so many callers of each tenant go on."""
        self._stop.clear()
        self._calling = [
            asyncio.create_task(self._call(one)) for one in self._customers for _ in range(callers)
        ]

    async def stop(self) -> None:
        """Let each caller finish what it is about: everything that was begun is answered."""
        self._stop.set()
        await asyncio.gather(*self._calling)

    async def close(self) -> None:
        """Hang up, however far the callers have come."""
        for task in self._calling:
            task.cancel()
        await asyncio.gather(*self._calling, return_exceptions=True)
        await self._client.aclose()

    async def _call(self, one: Customer) -> None:
        acts = (self._read, self._miss, self._register, self._change, self._run, self._invoke)
        while not self._stop.is_set():
            await self._random.choice(acts)(one)
            await asyncio.sleep(self._random.uniform(0, 0.06))

    async def _read(self, one: Customer) -> None:
        await self._until_answered(one, "GET", "/v1/agents?limit=5")

    async def _miss(self, one: Customer) -> None:
        await self._until_answered(one, "GET", "/v1/agents/nobody")

    async def _register(self, one: Customer) -> None:
        await self._create(one, "/v1/agents", self._agent())

    async def _change(self, one: Customer) -> None:
        """Change an agent of one's own a few times, each from the version that was read."""
        made = await self._create(one, "/v1/agents", self._agent())
        path = f"/v1/agents/{made['id']}"
        for number in range(3):
            version = (await self._until_answered(one, "GET", path)).headers["etag"]
            await self._ask(one, "PATCH", path, {"description": f"{number}"}, if_match=version)

    async def _run(self, one: Customer) -> None:
        run = await self._create(one, "/v1/workflows/soak/runs", {"input": {}})
        self.given.runs.add(run["id"])

    async def _invoke(self, one: Customer) -> None:
        key = self._key()
        body = {"input": {"invoked": key}}
        path = "/v1/agents/recorder:invoke"
        await self._until_answered(one, "POST", path, body, idempotency_key=key)
        self.given.invoked.add(key)

    async def _create(self, one: Customer, path: str, body: Json) -> Json:
        key = self._key()
        answer = await self._until_answered(one, "POST", path, body, idempotency_key=key)
        assert answer.status_code in {201, 202}, answer.text
        made = answer.json()
        self.given.made.setdefault(key, set()).add(made["id"])
        return made

    async def _until_answered(
        self, one: Customer, method: str, path: str, body: Json = None, **headers: str
    ) -> httpx.Response:
        while True:
            answer = await self._ask(one, method, path, body, **headers)
            if answer is not None and answer.status_code < 500:
                return answer
            await asyncio.sleep(0.1)

    async def _ask(
        self, one: Customer, method: str, path: str, body: Json = None, **headers: str
    ) -> httpx.Response | None:
        """Call once, at any door; None when the connection broke before an answer."""
        door = self._random.choice(self._system.named("api")).url
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["authorization"] = f"Bearer {one.key}"
        text = {"content": body} if isinstance(body, str) else {"json": body} if body else {}
        try:
            answer = await self._client.request(method, door + path, headers=sent, **text)
        except httpx.TransportError:
            self.given.unanswered += 1
            return None
        receipt = answer.headers.get("mesh-receipt")
        if receipt is None:
            self.given.bare[answer.status_code] += 1
        else:
            self.given.receipts[Receipt.parse(receipt)] = answer.status_code
        return answer

    def _agent(self) -> Json:
        name = f"agent-{next(self._names)}"
        return {"name": name, "kind": "http", "url": "http://127.0.0.1:9/"}

    def _key(self) -> str:
        return f"key-{next(self._names)}"
