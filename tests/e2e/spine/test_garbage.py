"""Whatever is sent, there is one clear refusal, and the process goes on serving the others."""

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import asyncpg
import httpx
import pytest
from tests.e2e.conftest import Stack
from tests.e2e.spine.conftest import booked
from tests.e2e.spine.raw import connected, raw, refused

DEEP = "[" * 10_000 + "]" * 10_000
AGENT = '{"name": "x", "kind": "http", "url": "http://127.0.0.1:9/"'
ASK = '{"action": "invokeAgent", "resource": {"type": "agent", "name": "b", "kind": "http"}'
EVALUATE = "/v1/policies:evaluate"
FLOW = '{"document": {"dsl": "1.0.0", "namespace": "n", "name": "g", "version": "1.0.0"}, "do": %s}'

BODIES = {
    "nothing": b"",
    "NUL bytes": b"\0" * 100,
    "not UTF-8": AGENT.encode() + b', "description": "\xff\xfe"}',
    "UTF-16": (AGENT + "}").encode("utf-16"),
    "an escaped NUL": (AGENT + ', "description": "\\u0000"}').encode(),
    "half a surrogate pair": (AGENT + ', "description": "\\ud800"}').encode(),
    "deep": DEEP.encode(),
    "deep and unclosed": b"[" * 100_000,
    "deep inside": (AGENT + f', "labels": {DEEP}}}').encode(),
    "a number beyond floats": (AGENT + ', "price": {"input_per_1k": 1e400}}').encode(),
    "a number of 5,000 digits": (AGENT + f', "price": {{"input_per_1k": {"9" * 5000}}}}}').encode(),
    "null": b"null",
    "a list": b"[]",
    "a field twice over": b'{"name": "a", "name": 7}',
    "too large": b" " * 11_000_000,
}
CALLS = {
    "a policy's NUL": ("PUT", "/v1/policies/g", '{"text": "// \\u0000"}'),
    "a context beyond floats": ("POST", EVALUATE, ASK + ', "context": {"input": 1e400}}'),
    "a context too deep": ("POST", EVALUATE, ASK + f', "context": {{"input": {DEEP}}}}}'),
    "a definition too deep": ("POST", "/v1/workflows", FLOW % DEEP),
    "a definition with NUL": ("POST", "/v1/workflows", FLOW % '[{"a": {"set": {"x": "\\u0000"}}}]'),
    "a definition's huge number": (
        "POST", "/v1/workflows", FLOW % ('[{"a": {"set": {"x": %s}}}]' % ("9" * 5000)),
    ),
    "a key's life": ("POST", "/v1/keys", '{"service": "a", "role": "viewer", "valid_for_s": 1e99}'),
    "a user's NUL": ("POST", "/v1/users", '{"email": "a\\u0000@x.y", "name": "a", "role": "own"}'),
}  # fmt: skip
PATHS = (
    "/v1/agents/agt_%00", "/v1/workflows/a%00b", "/v1/policies/a%00b", "/v1/users/usr_%00",
    "/v1/runs/run_%00", "/v1/approvals/apr_%00", "/v1/telemetry/traces/%00", "/v1/agents/%ff%fe",
    "/v1/sla/statements/2026-%00", "/v1/agents/%ed%a0%80", "/v1/workflows/" + "a" * 60_000,
    "/v1/agents/agt_1/../../v1/keys", "/v1//agents", "/v1/agents/", "/v1/agents/-/-/invoke",
    "/v1/runs?workflow=%00", "/v1/runs?state=%00", "/v1/telemetry/spans?agent_id=%00",
    "/v1/telemetry/usage?workflow=%00", "/v1/telemetry/usage?since=9999999999-01-01T00:00:00Z",
    "/v1/agents?limit=1e400", "/v1/agents?cursor=%ff",
)  # fmt: skip
HEADERS = {
    "compressed": [("Content-Encoding", "gzip")],
    "a content type twice": [("Content-Type", "text/plain"), ("Content-Type", "application/json")],
    "two callers": [("Authorization", "Bearer nobody")],
    "a form": [("Content-Type", "application/x-www-form-urlencoded")],
    "XML": [("Content-Type", "application/xml")],
    "a content type of noise": [("Content-Type", ";;=;/")],
    "many headers": [(f"x-{index}", "y") for index in range(5_000)],
    "a large header": [("x-large", "y" * 100_000)],
}


@pytest.fixture(autouse=True)
async def unharmed(stack: Stack) -> AsyncIterator[None]:
    """Ask, after each test, whether the process still serves and has logged no bug."""
    log = stack.data / "logs" / "api.log"
    before = log.stat().st_size
    yield
    async with stack.client() as client:
        assert (await client.get("/v1/tenant")).status_code == 200
    with log.open("rb") as file:
        file.seek(before)
        assert b"request.failed" not in file.read()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_garbage_is_refused(stack: Stack, body: bytes) -> None:
    async with stack.client() as client:
        kind = {"Content-Type": "application/json"}
        refused(await client.post("/v1/agents", content=body, headers=kind))


async def test_a_large_body_that_does_not_say_so_is_refused(stack: Stack) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 1_000_000

    async with stack.client() as client:
        answer = await client.post("/v1/agents", content=chunks())
    refused(answer)
    assert answer.status_code == 413


@pytest.mark.parametrize(("method", "path", "body"), CALLS.values(), ids=CALLS.keys())
async def test_garbage_inside_a_sound_document_is_refused(
    stack: Stack, method: str, path: str, body: str
) -> None:
    async with stack.client() as client:
        refused(await client.request(method, path, content=body.encode()))


async def test_an_input_that_the_database_cannot_keep_is_refused(stack: Stack) -> None:
    async with stack.client() as client:
        flow = FLOW % '[{"a": {"set": {"x": 1}}}]'
        assert (await client.post("/v1/workflows", content=flow)).status_code in {200, 201}
        for data in ('"\\u0000"', '{"\\u0000": 1}', '"\\ud800"', "1e400", "9" * 5000, DEEP):
            body = f'{{"input": {data}}}'.encode()
            refused(await client.post("/v1/workflows/g/runs", content=body))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
async def test_a_path_that_is_garbage_is_refused(stack: Stack, path: str) -> None:
    refused(await raw(stack, "GET", path))


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
async def test_headers_that_are_garbage_are_refused(
    stack: Stack, headers: list[tuple[str, str]]
) -> None:
    refused(await raw(stack, "POST", "/v1/agents", headers, (AGENT + "}").encode()))


async def test_no_doubled_slash_opens_a_way_past_the_door(stack: Stack) -> None:
    for path in ("//v1/policies/schema", "///v1/agents", "/v1//policies/schema", "//v1"):
        answer = await raw(stack, "GET", path, key="nobody")
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, path


NOISE = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
    "an unknown method": b"BREW /v1/agents HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path of raw bytes": b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /v1/agents HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST /v1/agents HTTP/1.1\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST /v1/agents HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a head without end": b"GET /v1/agents HTTP/1.1\r\nx: " + b"y" * 400_000,
    "a tunnel": b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
async def test_what_is_no_request_gets_one_answer_and_a_closed_connection(
    stack: Stack, noise: bytes
) -> None:
    # What says which route it is for is a call, and has an entry; noise has none.
    call = re.match(rb"(GET|POST) /v1/agents ", noise) is not None
    if call:
        await asyncio.sleep(1.1)  # after a second of few refusals each has an entry of its own
    reader, writer = await connected(stack)
    async with asyncio.timeout(10):
        writer.write(noise)
        got = await reader.read()
    writer.close()
    head, _, body = got.partition(b"\r\n\r\n")
    assert head[:10] == b"HTTP/1.1 4", got[:200]
    assert json.loads(body)["status"] == int(head[9:12])
    assert (b"mesh-receipt" in head) == call


async def test_a_call_that_cannot_be_read_is_booked_on_nobody(
    stack: Stack, inside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await asyncio.sleep(1.1)  # after a second of few refusals each has an entry of its own
    reader, writer = await connected(stack)
    writer.write(b"POST /v1/runs HTTP/1.1\r\nAuthorization: Bearer %b\r\n" % stack.key.encode())
    writer.write(b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
    async with asyncio.timeout(10):
        got = (await reader.read()).decode()
    writer.close()
    entry = await booked(inside, got.partition("mesh-receipt: ")[2].partition("\r\n")[0])
    assert (entry["tenant"], entry["status"], entry["fault"]) == ("platform", 400, "client")
    assert (entry["path"], entry["reason"]) == ("/v1/runs", "malformed-request")


async def _head(stack: Stack, *lines: str, key: str | None = None) -> httpx.Response:
    """Send a head that promises ten million bytes, and none of them; return what comes."""
    reader, writer = await connected(stack)
    fields = ["Host: x", "Content-Length: 10000000", "Content-Type: application/json"]
    fields += [f"Authorization: Bearer {key}"] if key else []
    writer.write("\r\n".join([*lines, *fields]).encode() + b"\r\n\r\n")
    async with asyncio.timeout(15):  # half of the time that the body would be waited for
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert "100 Continue" not in head
    return httpx.Response(int(head[9:12]))


async def test_who_may_not_is_told_so_before_any_of_the_body_is_read(stack: Stack) -> None:
    _, free = await stack.tenant_key("unread", "free")
    async with stack.client(free) as client:
        issued = await client.post("/v1/keys", json={"service": "unread", "role": "viewer"})
    viewer = issued.json()["text"]
    expecting = ("POST /v1/agents HTTP/1.1", "Expect: 100-continue")
    assert (await _head(stack, *expecting)).status_code == HTTPStatus.UNAUTHORIZED
    assert (await _head(stack, *expecting, key="nobody")).status_code == HTTPStatus.UNAUTHORIZED
    assert (await _head(stack, *expecting, key=viewer)).status_code == HTTPStatus.FORBIDDEN
    nowhere = await _head(stack, "POST /v1/nowhere HTTP/1.1", key=free)
    assert nowhere.status_code == HTTPStatus.NOT_FOUND
    async with stack.client(free) as client:
        used_up = False
        while not used_up:
            got = await asyncio.gather(*(client.get("/v1/tenant") for _ in range(20)))
            used_up = any(each.status_code == HTTPStatus.TOO_MANY_REQUESTS for each in got)
    assert (await _head(stack, *expecting, key=free)).status_code == HTTPStatus.TOO_MANY_REQUESTS


async def test_a_definition_of_ten_thousand_tasks_is_refused_in_one_line(stack: Stack) -> None:
    tasks = ",".join(f'{{"t{index}": {{"set": {{"a": 1}}}}}}' for index in range(10_000))
    async with stack.client() as client:
        answer = await client.post("/v1/workflows", content=FLOW % f"[{tasks}]")
    refused(answer)
    [error] = answer.json()["errors"]
    assert "more than" in error["reason"]


async def test_a_compressed_bomb_is_not_opened(stack: Stack) -> None:
    bomb = gzip.compress(b" " * 100_000_000, 1)
    async with stack.client() as client:
        for coding in ("gzip", "deflate", "br", "gzip, gzip", "identity, gzip"):
            headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
            answer = await client.post("/v1/agents", content=bomb, headers=headers)
            refused(answer)
            assert answer.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


async def test_a_thousand_silent_connections_leave_the_others_served(stack: Stack) -> None:
    silent = [await connected(stack) for _ in range(1_000)]
    try:
        for _, writer in silent[::2]:
            writer.write(b"GET /v1/agents HTTP/1.1\r\n")
        async with stack.client() as client, asyncio.timeout(15):
            for _ in range(20):
                assert (await client.get("/v1/tenant")).status_code == 200
    finally:
        for _, writer in silent:
            writer.close()
