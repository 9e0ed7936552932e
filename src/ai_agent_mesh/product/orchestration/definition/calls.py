"""Reads the tasks that reach outside: calls of agents and of HTTP services, and approvals."""

from collections.abc import Mapping
from typing import Any

from ai_agent_mesh.product.orchestration.definition.document import child
from ai_agent_mesh.product.orchestration.definition.model import (
    Body,
    CallAgent,
    CallHttp,
    Do,
    Listen,
    Template,
)
from ai_agent_mesh.product.orchestration.definition.reader import Reader

Json = Any  # what JSON can say

NOT_BUILT = ("asyncapi", "grpc", "openapi", "mcp")
HTTP_KEYS = ("method", "endpoint", "headers", "body", "query", "output", "redirect")
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
ANSWERS = ("content", "response", "raw")
AGENT_KEYS = ("agent", "method", "parameters", "message", "data")
#: The event a `listen` may wait for; any type that ends so is taken.
APPROVAL = "approval"


def read_call(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    """Read `call: http` or `call: a2a`; the other calls are refused by name."""
    called = source["call"]
    at = child(place, "call")
    if called == "http":
        return _http(reader, source.get("with"), child(place, "with"))
    if called == "a2a":
        return _agent(reader, source.get("with"), child(place, "with"))
    if called in NOT_BUILT:
        reader.wrong(at, f"the task kind 'call {called}' is not built yet")
    else:
        reader.wrong(at, "must be http or a2a; functions and catalogs are not built yet")
    return Do(())


def _http(reader: Reader, value: Json, place: str) -> Body:
    members = reader.members(value, place, HTTP_KEYS, ("method", "endpoint"))
    method = members.get("method", "get")
    lowered = method.lower() if isinstance(method, str) else method
    endpoint = members.get("endpoint", "")
    at = child(place, "endpoint")
    if isinstance(endpoint, dict):
        inner = reader.members(endpoint, at, ("uri",), ("uri",))
        endpoint, at = inner.get("uri", ""), child(at, "uri")
    reader.text(endpoint, at)
    for key in ("headers", "query"):
        if not isinstance(members.get(key, {}), str | dict):
            reader.wrong(child(place, key), "must be an object, or an expression")
    arguments = {key: members[key] for key in ("headers", "body", "query") if key in members}
    redirect = members.get("redirect", False)
    return CallHttp(
        method=reader.choice(lowered, child(place, "method"), METHODS).upper(),
        arguments=_noted(reader, arguments, place, endpoint, at),
        answer=reader.choice(members.get("output", "content"), child(place, "output"), ANSWERS),
        redirect=reader.flag(redirect, child(place, "redirect")),
    )


def _noted(
    reader: Reader, arguments: dict[str, Json], place: str, endpoint: Json, at: str
) -> Template:
    for key, value in arguments.items():
        reader.template(value, child(place, key))
    reader.template(endpoint, at)
    return Template.of({**arguments, "endpoint": endpoint})


def _agent(reader: Reader, value: Json, place: str) -> Body:
    if isinstance(value, dict):
        for key in ("agentCard", "server"):
            if key in value:
                reader.wrong(
                    child(place, key),
                    "agents are called by the name they are registered under: use `agent`",
                )
        value = {key: value[key] for key in value if key not in ("agentCard", "server")}
    members = reader.members(value, place, AGENT_KEYS, ("agent",))
    reader.text(members.get("agent", "x"), child(place, "agent"))
    if members.get("method", "message/send") != "message/send":
        reader.wrong(child(place, "method"), "only message/send is built")
    said = [key for key in ("message", "parameters", "data") if key in members]
    if not said and "agent" in members:
        reader.wrong(place, "one of message, data or parameters is needed")
    if "parameters" in said and len(said) > 1:
        reader.wrong(child(place, "parameters"), "stands instead of message and data, not beside")
    return CallAgent(
        reader.template({k: members[k] for k in ("agent", *said) if k in members}, place)
    )


def read_listen(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    """Read a `listen` for one approval; other events are refused."""
    at = child(place, "listen")
    members = reader.members(source["listen"], at, ("to", "read"), ("to",))
    reader.choice(members.get("read", "data"), child(at, "read"), ("data",))
    at = child(at, "to")
    to = reader.members(members.get("to", {"one": {}}), at, ("one", "any", "all", "until"))
    for key in ("any", "all", "until"):
        if key in to:
            reader.wrong(child(at, key), f"listen.to.{key} is not built yet: use `one`")
    if "one" not in to:
        if not set(to) & {"any", "all"}:
            reader.wrong(at, "the key 'one' is missing")
        return Do(())
    at = child(at, "one")
    one = reader.members(to["one"], at, ("with",), ("with",))
    at = child(at, "with")
    event = reader.members(one.get("with", {}), at, ("type", "subject", "data"), ("type",))
    kind = event.get("type", "")
    if not isinstance(kind, str) or kind.rpartition(".")[2] != APPROVAL:
        reader.wrong(child(at, "type"), f"only an event type that ends in .{APPROVAL} is built")
    return Listen(reader.template(dict(event), at))
