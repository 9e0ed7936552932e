"""A path that is written strangely names nothing, opens no second way, and plants no header."""

import re

import pytest
from tests.e2e.conftest import Stack
from tests.e2e.spine.raw import Raw, raw, refused

from ai_agent_mesh.api.table import ROUTES, Route

STRANGE = (
    "%00", "%ff", "%2e%2e", "..", ".", "%2f", "%5c", "%3a", "%0d%0aset-cookie:%20a=b", "a%20b",
    "%e2%80%ae", "%ef%bc%8f", "%f0%9f%98%80", "a" * 2_000, "-", "~", "%25", "a:b", ":", "%3f",
    "%23", "n%cc%83", "%c3%b1", "null", "0", "-1", "9" * 400, "*", "'", "%22", "%3cscript%3e",
)  # fmt: skip


@pytest.mark.parametrize("route", [r for r in ROUTES if "{" in r.template], ids=lambda r: r.name)
async def test_a_strange_id_names_nothing_on_any_route(stack: Stack, route: Route) -> None:
    client = Raw(stack)
    try:
        for strange in STRANGE:
            path = re.sub(r"\{\w+\}", lambda _, s=strange: s, route.template)  # type: ignore[misc] # the loop's
            answer = await client.send(route.method, path)
            refused(answer)
            assert "set-cookie" not in answer.headers
    finally:
        client.close()


async def test_no_answer_takes_a_header_from_its_request(stack: Stack) -> None:
    planted = "a\r\nset-cookie: a=b"
    for path in ("/v1/agents/a%0d%0aset-cookie:%20a=b", "/v1/%0d%0aset-cookie:%20a=b"):
        for name in ("X-Request-Id", "traceparent", "Idempotency-Key", "If-Match"):
            value = planted.replace("\r\n", "%0d%0a")
            answer = await raw(stack, "DELETE", path, [(name, value), ("Origin", value)])
            assert "set-cookie" not in answer.headers
            assert "%0d" not in str(answer.headers)


async def test_a_verb_has_one_way_in(stack: Stack) -> None:
    for path in (
        "/v1/agents/x/-/invoke", "/v1/agents/x%2f-%2finvoke", "/v1/agents/x:invoke:invoke",
        "/v1/agents/x:invoke/", "/v1/agents:invoke", "/v1/agents/x:", "/v1/agents/x:INVOKE",
        "/V1/agents/x:invoke", "/v1/./agents/x:invoke", "/v1/agents/../agents/x:invoke",
    ):  # fmt: skip
        answer = await raw(stack, "POST", path, body=b'{"input": 1}')
        assert answer.status_code in {404, 405}, path
        assert answer.json()["type"] != "/problems/agent-missing" or ":invoke:invoke" in path
