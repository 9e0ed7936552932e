"""A log line is ECS JSON, knows its trace, and never holds a secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ai_agent_mesh.plumbing.observe import Trace, bound, configure, get_logger
from ai_agent_mesh.plumbing.observe.logs import HIDDEN, clean_text

KEY = "mesh_01k9zq2wxy_Q3v7Zr0Kd8sTq1LmN5pX2yB4cD6eF8gH"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0aaaa.c2lnbmF0dXJl"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    configure("debug", stream, service="mesh-test")
    yield stream
    logging.basicConfig(handlers=before[0], level=before[1], force=True)


def said(stream: io.StringIO) -> list[dict[str, Any]]:  # JSON documents
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_ecs_fields_and_the_trace_it_belongs_to(lines: io.StringIO) -> None:
    trace = Trace.begin("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "req_1")
    with bound(trace):
        get_logger("mesh.test").info("hello", agent="agt_1")
    get_logger("mesh.test").info("outside")
    inside, outside = said(lines)
    assert inside["message"] == "hello"
    assert inside["log.level"] == "info"
    assert inside["log.logger"] == "mesh.test"
    assert inside["service.name"] == "mesh-test"
    assert inside["trace.id"] == "0af7651916cd43dd8448eb211c80319c"
    assert inside["http.request.id"] == "req_1"
    assert inside["agent"] == "agt_1"
    assert inside["@timestamp"].endswith("Z")
    assert "trace.id" not in outside


def test_a_librarys_own_line_goes_the_same_way(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("key is %s", KEY, extra={"password": "hunter2"})
    (line,) = said(lines)
    assert (line["log.logger"], line["log.level"]) == ("some.library", "warning")
    assert KEY not in lines.getvalue()
    assert "hunter2" not in lines.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "Bearer abcdef0123456789",
        "basic dXNlcjpwYXNzd29yZA==",
        JWT,
        "sk-proj-0123456789abcdefghij",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    ],
)
def test_a_secret_is_hidden_wherever_it_stands(lines: io.StringIO, secret: str) -> None:
    log = get_logger("t")
    message = f"message with {secret}"
    log.info(message)
    log.info("field", note=f"see {secret}", deep={"list": [f"({secret})"], f"k {secret}": 1})
    try:
        dict[str, str]()[secret]
    except KeyError:
        log.exception("failed")
    value = secret.removeprefix("Bearer ").removeprefix("basic ")
    assert value not in lines.getvalue()
    assert json.dumps(value)[1:-1] not in lines.getvalue()
    assert lines.getvalue().count(HIDDEN) >= 5


@pytest.mark.parametrize(
    "name",
    ["Authorization", "password", "client_secret", "credential", "Cookie", "api_key", "apikey",
     "x-api-key", "access_token", "token", "private_key", "credentials"],
)  # fmt: skip
def test_a_field_named_as_a_secret_is_hidden_whatever_it_holds(
    lines: io.StringIO, name: str
) -> None:
    get_logger("t").info("x", **{name: "plainvalue"}, headers={name: ["plainvalue"]})
    assert "plainvalue" not in lines.getvalue()


def test_counts_of_tokens_are_no_secret(lines: io.StringIO) -> None:
    get_logger("t").info("x", input_tokens=12, token_count=3)
    (line,) = said(lines)
    assert (line["input_tokens"], line["token_count"]) == (12, 3)


def test_the_password_of_an_address_is_hidden_and_the_rest_stays() -> None:
    assert clean_text("postgres://mesh:s3cr3t@db:1/x") == f"postgres://mesh:{HIDDEN}@db:1/x"
    assert clean_text("http://127.0.0.1:80/a@b") == "http://127.0.0.1:80/a@b"


def test_bytes_cycles_and_strangers_do_not_break_a_line(lines: io.StringIO) -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    get_logger("t").info("x", body=b"secret bytes", cycle=cycle, thing=object())
    (line,) = said(lines)
    assert line["body"] == "[12 bytes]"
