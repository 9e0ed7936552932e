"""A service in a process of its own that does each effect once per Idempotency-Key, and says so.

`POST /effect` does what its body says, `GET /journal` tells what came: it outlives whatever is
killed, so its word stands against the platform's.
"""

import asyncio
import socket
import sys
from contextlib import suppress
from typing import Any

import msgspec
import uvicorn

Json = Any  # what JSON can say


class Asked(msgspec.Struct, frozen=True):
    """One request: its key, what it asked for, and whether that was done before."""

    key: str
    said: Json
    repeated: bool


class Journal(msgspec.Struct):
    """Every request that came, and how often each path was looked at by GET."""

    asked: list[Asked] = []
    looks: dict[str, int] = {}


class Recorder:
    """The service, as an ASGI application."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._journal = Journal()
        self._done: dict[str, Json] = {}

    async def __call__(self, scope: Json, receive: Json, send: Json) -> None:
        """Answer one request."""
        path = scope["path"]
        if path == "/journal":
            return await _answer(send, self._journal)
        if scope["method"] != "POST":
            self._journal.looks[path] = self._journal.looks.get(path, 0) + 1
            return await _answer(send, {})
        said = msgspec.json.decode(await _body(receive))
        key = dict(scope["headers"]).get(b"idempotency-key", b"").decode()
        repeated = key in self._done
        self._journal.asked.append(Asked(key, said, repeated))
        answer = self._done.setdefault(key, {"did": said})
        # The effect is done and its answer still under way: the worst moment to be killed in.
        await asyncio.sleep(self._pause_s)
        return await _answer(send, answer)


async def _body(receive: Json) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Json, value: Json) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(value)})


async def main(pause_s: float) -> None:
    """Serve on a free port of this machine, and print its address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        print(f"http://127.0.0.1:{door.getsockname()[1]}", flush=True)  # noqa: T201 - its answer
        # Kept connections stay: one that closes in the moment of a call is the service's fault.
        config = uvicorn.Config(
            Recorder(pause_s), lifespan="off", log_config=None, ws="none", timeout_keep_alive=3600
        )
        await uvicorn.Server(config).serve([door])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # the terminal tells everybody
        asyncio.run(main(float(sys.argv[1])))
