"""A server that does its work: one agent of each kind, and a record of what it was sent.

python -m tests.contract.agents.honest
"""

import argparse
import asyncio
import json
import socket
import sys
from typing import Any

import uvicorn
from a2a.types import AgentSkill
from examples.agents.serving import Agent, Answer, Refused, application
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

SEEN: list[dict[str, Any]] = []
TOKEN = "open-sesame"
TOKENS = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 3}


async def work(given: dict[str, Any]) -> Answer:
    """Turn the text round; some words ask for more."""
    text = str(given.get("text", ""))
    if text == "sleep":
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            SEEN.append({"cancelled": True})
            raise
    if text == "refuse":
        raise Refused("It will not be done.")
    return Answer({"echo": text[::-1]}, text[::-1], TOKENS)


AGENT = Agent(
    name="Turner",
    description="Turns a text round.",
    skills=(AgentSkill(id="turn", name="Turn", description="Turns.", tags=["text"]),),
    work=work,
    as_task=True,
)


async def plain(request: Request) -> JSONResponse | PlainTextResponse:
    """Answer a JSON document with another."""
    given = await request.json()
    if given == "refuse":
        return JSONResponse({"error": "It will not be done."}, 422)
    if given == "as text":
        return PlainTextResponse("txet sa")
    answer = await work({"text": given if isinstance(given, str) else given.get("text")})
    usage = {"input_tokens": 7, "output_tokens": 3}
    return JSONResponse({**answer.data, "text": answer.text, "usage": usage})


async def completions(request: Request) -> JSONResponse:
    """Answer as a language model's server does."""
    given = await request.json()
    text = given["messages"][-1]["content"]
    if text == "refuse":
        return JSONResponse({"error": {"message": "It will not be done."}}, 400)
    answer = await work({"text": text})
    message = {"role": "assistant", "content": answer.text}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return JSONResponse({"model": given["model"], "choices": choices, "usage": usage})


async def busy(_request: Request) -> JSONResponse:
    """Say that it is not the time."""
    return JSONResponse({"error": "busy"}, 503, {"Retry-After": "1"})


async def broken(_request: Request) -> JSONResponse:
    """Fail."""
    return JSONResponse({"error": "the disk is full"}, 500)


async def seen(_request: Request) -> JSONResponse:
    """Tell what came in, and forget it."""
    taken = list(SEEN)
    SEEN.clear()
    return JSONResponse(taken)


class Doorkeeper:
    """Write down each message, and turn away one without the token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through when it has the token."""
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = {key.decode(): value.decode() for key, value in scope["headers"]}
            SEEN.append({"path": scope["path"], "headers": headers})
            if headers.get("authorization") != f"Bearer {TOKEN}":
                await JSONResponse({"error": "who are you?"}, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def main() -> None:
    """Listen on a free port and print the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options = argparse.Namespace(journal=None, delay=0, token=None, fail_first=0)
    app = Starlette(
        routes=[
            Route("/plain", plain, methods=["POST"]),
            Route("/v1/chat/completions", completions, methods=["POST"]),
            Route("/v1/models", lambda _: JSONResponse({"data": []})),
            Route("/seen", seen),
            Route("/busy{rest:path}", busy, methods=["POST", "GET"]),
            Route("/broken{rest:path}", broken, methods=["POST", "GET"]),
            Mount("/", application(AGENT, url, options)),
        ]
    )
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(Doorkeeper(app), log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
