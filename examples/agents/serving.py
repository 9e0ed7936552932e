"""Serves a function as an A2A 1.0 agent: its card, both HTTP transports, a journal of effects."""

import argparse
import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from a2a.helpers import new_data_part, new_message, new_task_from_user_message, new_text_part
from a2a.helpers.proto_helpers import get_data_parts
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import (
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

RPC, REST = "/a2a/rpc", "/a2a/rest"
Json = dict[str, Any]  # whatever the caller's JSON holds


class Refused(Exception):  # noqa: N818 - it names what happened
    """The agent cannot work on this input, for the reason given."""


@dataclass(frozen=True)
class Answer:
    """What the agent found: data for programs, text for people, tokens when a model was used."""

    data: Json
    text: str
    usage: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent:
    """One agent: its card's words, and the function that does the work.

    `effects` names the acts that change something outside; all others only compute. `as_task` says
    whether it answers with an A2A task and its artifact, or at once with a message.
    """

    name: str
    description: str
    skills: tuple[AgentSkill, ...]
    work: Callable[[Json], Awaitable[Answer]]
    effects: frozenset[str] = frozenset()
    as_task: bool = False
    rest_first: bool = False


class Journal:
    """Remembers each outside effect by its idempotency key, in a file that outlives the process."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Answer] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        for line in path.read_text().splitlines() if path and path.exists() else ():
            entry = json.loads(line)
            if entry["event"] == "effect":
                self._known[entry["key"]] = Answer(**entry["answer"])

    async def once(self, key: str, act: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Act, and write it down before answering; give the earlier answer to a repeated key."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._known.get(key)
            if known is not None:
                self._write({"event": "replay", "key": key, "act": act})
                return known
            answer = await work()
            self._write({"event": "effect", "key": key, "act": act, "answer": asdict(answer)})
            self._known[key] = answer
            return answer

    def _write(self, entry: Json) -> None:
        if self._path is None:
            return
        entry["at"] = datetime.now(UTC).isoformat()
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Executor(AgentExecutor):
    """Gives each message to the agent and its answer to the A2A server."""

    def __init__(self, agent: Agent, journal: Journal, delay_s: float) -> None:
        self._agent = agent
        self._journal = journal
        self._delay_s = delay_s

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Work on one message."""
        assert context.message is not None  # noqa: S101 - the server calls this with a message
        updater = TaskUpdater(event_queue, context.task_id or "", context.context_id or "")
        if self._agent.as_task:
            await event_queue.enqueue_event(new_task_from_user_message(context.message))
            await updater.start_work()
        try:
            answer = await self._answer(context)
        except Refused as refusal:
            if not self._agent.as_task:
                await event_queue.enqueue_event(new_task_from_user_message(context.message))
            await updater.reject(updater.new_agent_message([new_text_part(str(refusal))]))
            return
        parts: list[Part] = [new_data_part(answer.data), new_text_part(answer.text)]
        if self._agent.as_task:
            await updater.add_artifact(parts, name="answer", metadata=dict(answer.usage))
            await updater.complete()
            return
        message = new_message(parts, context_id=context.context_id)
        message.metadata.update(answer.usage)
        await event_queue.enqueue_event(message)

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Stop: the server has already ended the work."""
        updater = TaskUpdater(event_queue, context.task_id or "", context.context_id or "")
        await updater.cancel()

    async def _answer(self, context: RequestContext) -> Answer:
        assert context.message is not None  # noqa: S101
        data = get_data_parts(context.message.parts)
        given: Json = data[0] if data and isinstance(data[0], dict) else {}
        given = {"text": context.get_user_input(), **given}
        act = str(given.get("act", ""))

        async def work() -> Answer:
            await asyncio.sleep(self._delay_s)
            return await self._agent.work(given)

        if act not in self._agent.effects:
            return await work()
        headers = context.call_context.state.get("headers", {})
        key = headers.get("idempotency-key") or context.message.message_id
        return await self._journal.once(key, act, work)


class Gatekeeper:
    """Refuses callers without the token, and the first messages when it is told to."""

    def __init__(self, app: ASGIApp, token: str | None, fail_first: int) -> None:
        self._app = app
        self._token = token
        self._left = fail_first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its stead."""
        if scope["type"] == "http" and scope["method"] == "POST":
            sent = dict(scope["headers"]).get(b"authorization", b"").decode()
            refusal: JSONResponse | None = None
            if self._token is not None and sent != f"Bearer {self._token}":
                refusal = JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
            elif self._left > 0:
                self._left -= 1
                refusal = await _unavailable(Request(scope, receive))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _unavailable(request: Request) -> JSONResponse:
    """Answer 503 in the words of the transport that was used."""
    words = "The agent is busy; try again."
    headers = {"Retry-After": "1"}
    if request.url.path != RPC:
        error: Json = {"code": 503, "status": "UNAVAILABLE", "message": words}
        return JSONResponse({"error": error}, 503, headers)
    called = json.loads(await request.body())
    error = {"code": -32603, "message": words}
    return JSONResponse({"jsonrpc": "2.0", "id": called.get("id"), "error": error}, 503, headers)


def card_of(agent: Agent, url: str) -> AgentCard:
    """Describe the agent at this address."""
    interfaces = [
        AgentInterface(url=url + RPC, protocol_binding="JSONRPC", protocol_version="1.0"),
        AgentInterface(url=url + REST, protocol_binding="HTTP+JSON", protocol_version="1.0"),
    ]
    return AgentCard(
        name=agent.name,
        description=agent.description,
        version="1.0.0",
        supported_interfaces=interfaces[::-1] if agent.rest_first else interfaces,
        capabilities=AgentCapabilities(streaming=False),
        default_input_modes=["text/plain", "application/json"],
        default_output_modes=["application/json", "text/plain"],
        skills=list(agent.skills),
    )


def application(agent: Agent, url: str, options: argparse.Namespace) -> ASGIApp:
    """Put the agent behind both HTTP transports of A2A 1.0."""
    card = card_of(agent, url)
    executor = Executor(agent, Journal(options.journal), options.delay)
    handler = DefaultRequestHandler(executor, InMemoryTaskStore(), card)
    routes = [
        *create_agent_card_routes(card),
        *create_jsonrpc_routes(handler, RPC),
        *create_rest_routes(handler, path_prefix=REST),
    ]
    return Gatekeeper(Starlette(routes=routes), options.token, options.fail_first)


def run(agent: Agent) -> None:
    """Read the options, listen, print one JSON line with the address, and serve until stopped."""
    parser = argparse.ArgumentParser(description=agent.description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--journal", type=Path, help="where each outside effect is written once")
    parser.add_argument("--fail-first", type=int, default=0, help="answer the first N with 503")
    parser.add_argument("--delay", type=float, default=0, help="seconds that its work takes longer")
    parser.add_argument("--token", help="the bearer token that callers must send")
    options = parser.parse_args()
    listener = socket.create_server((options.host, options.port))
    url = f"http://{options.host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(application(agent, url, options), log_level="warning")
    print(json.dumps({"name": agent.name, "url": url, "pid": os.getpid()}), flush=True)
    uvicorn.Server(config).run(sockets=[listener])
