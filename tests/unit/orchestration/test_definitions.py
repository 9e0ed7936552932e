"""A definition is refused with every mistake, each at its place; a good one is read whole."""

import json

import pytest

from ai_agent_mesh.product.orchestration import (
    Definition,
    DefinitionInvalid,
    ExpressionPool,
    check_definition,
)
from ai_agent_mesh.product.orchestration.definition.model import CallAgent, For, Try

HEAD = "document: {dsl: 1.0.1, namespace: test, name: sample, version: 1.2.3}\n"


async def read(text: str) -> Definition:
    """Check a definition with real jq."""
    async with ExpressionPool(size=1) as expressions:
        return await check_definition(text, expressions)


async def places(text: str) -> dict[str, str]:
    """Return the mistakes of a definition by place."""
    with pytest.raises(DefinitionInvalid) as caught:
        await read(text)
    return {fault.place: fault.reason for fault in caught.value.faults}


def tasks(*lines: str) -> str:
    """Return a definition with these tasks."""
    return HEAD + "do:\n" + "".join(f"  - {line}\n" for line in lines)


BAD = [
    ("a: {set: {x: '${ .a | }'}}", "/do/0/a/set/x", "not a jq expression"),
    ("a: {set: {x: '${ $nope }'}}", "/do/0/a/set/x", "$nope is not defined"),
    ("a: {set: {x: '${ import \"m\" as m; . }'}}", "/do/0/a/set/x", "unexpected import"),
    ("a: {set: 5}", "/do/0/a/set", "must be an object"),
    ("a: {fork: {branches: []}}", "/do/0/a/fork", "'fork' is not built yet"),
    ("a: {emit: {}}", "/do/0/a/emit", "'emit' is not built yet"),
    ("a: {run: {script: {}}}", "/do/0/a/run", "'run' is not built yet"),
    ("a: {call: grpc, with: {}}", "/do/0/a/call", "'call grpc' is not built yet"),
    ("a: {call: openapi, with: {}}", "/do/0/a/call", "'call openapi' is not built yet"),
    ("a: {call: asyncapi, with: {}}", "/do/0/a/call", "'call asyncapi' is not built yet"),
    ("a: {call: mcp, with: {}}", "/do/0/a/call", "'call mcp' is not built yet"),
    ("a: {call: myFunction, with: {}}", "/do/0/a/call", "must be http or a2a"),
    ("a: {set: {}, then: nowhere}", "/do/0/a/then", "there is no task 'nowhere'"),
    ("a: {switch: [{x: {then: gone}}]}", "/do/0/a/switch/0/x/then", "there is no task 'gone'"),
    ("a: {switch: [{x: {then: end}}, {y: {then: end}}]}", "/do/0/a/switch", "only one case"),
    ("a: {wait: soon}", "/do/0/a/wait", "ISO 8601"),
    ("a: {wait: {fortnights: 1}}", "/do/0/a/wait", "ISO 8601"),
    ("a: {dance: {}}", "/do/0/a", "says nothing to do"),
    ("a: {set: {}, colour: red}", "/do/0/a/colour", "unknown key 'colour'"),
    ("a: {for: {each: x}, do: [{b: {set: {}}}]}", "/do/0/a/for", "the key 'in' is missing"),
    ("a: {for: {in: .x}}", "/do/0/a", "the key 'do' is missing"),
    ("a: {try: [{b: {set: {}}}]}", "/do/0/a", "the key 'catch' is missing"),
    ("a: {try: [{b: {set: {}}}], catch: {retry: none}}", "/do/0/a/catch/retry", "use.retries"),
    ("a: {raise: {error: gone}}", "/do/0/a/raise/error", "use.errors"),
    ("a: {raise: {error: {type: x}}}", "/do/0/a/raise/error", "'status' is missing"),
    ("a: {set: {}, timeout: gone}", "/do/0/a/timeout", "use.timeouts"),
    ("a: {call: http, with: {method: fetch, endpoint: x}}", "/do/0/a/with/method", "one of"),
    ("a: {call: http, with: {method: get}}", "/do/0/a/with", "'endpoint' is missing"),
    ("a: {call: a2a, with: {agent: x}}", "/do/0/a/with", "message, data or parameters"),
    ("a: {call: a2a, with: {server: x, agent: y, data: 1}}", "/do/0/a/with/server", "registered"),
    ("a: {listen: {to: {any: []}}}", "/do/0/a/listen/to/any", "not built yet"),
    (
        "a: {listen: {to: {one: {with: {type: x.y}}}}}",
        "/do/0/a/listen/to/one/with/type",
        ".approval",
    ),
    ("a: {set: {}, input: {schema: {}}}", "/do/0/a/input/schema", "not built yet"),
    ("a: [1]", "/do/0/a", "must be an object"),
    ("1", "/do/0", "one key, the task's name"),
]


@pytest.mark.parametrize(("task", "place", "reason"), BAD)
async def test_a_mistake_is_named_at_its_place(task: str, place: str, reason: str) -> None:
    found = await places(tasks(task))
    assert reason in found[place]
    assert found[place].startswith("line 3, column ")


async def test_all_mistakes_are_named_at_once() -> None:
    found = await places(tasks("a: {set: {x: '${ ( }'}, then: b}", "a: {wait: 1}", "c: {fork: {}}"))
    assert list(found) == [
        "/do/0/a/set/x",
        "/do/0/a/then",
        "/do/1/a",
        "/do/1/a/wait",
        "/do/2/c/fork",
    ]


async def test_a_variable_is_known_only_where_it_is_in_force() -> None:
    good = "a: {for: {each: pet, in: .pets}, do: [{b: {set: {x: '${ $pet.id }'}}}]}"
    await read(tasks(good))
    found = await places(tasks(good, "c: {set: {x: '${ $pet }'}}"))
    assert list(found) == ["/do/1/c/set/x"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("a: [", "not YAML"),
        ('{"document": }', "not JSON: Expecting value"),
        ("a: &x [1]\nb: *x", "anchors and aliases"),
        ("a: 1\na: 2", "stands twice"),
        ("[" * 100 + "]" * 100, "nested deeper"),
        ("x: [" + "1," * 30_000 + "]", "more than"),
        ("x: " + "y" * 600_000, "larger than"),
        ("a: !!python/object:os.system {}", "line 1"),
    ],
)
async def test_what_is_no_document_gets_one_clear_mistake(text: str, reason: str) -> None:
    found = await places(text)
    assert any(reason in said for said in found.values()), found


async def test_too_many_tasks_are_one_mistake() -> None:
    found = await places(
        HEAD + "do: [" + ",".join(f"{{t{n}: {{set: {{}}}}}}" for n in range(3000)) + "]"
    )
    assert [reason.partition(": ")[2] for reason in found.values()] == [
        "the definition has more than 1000 tasks"
    ]


async def test_the_header_is_judged() -> None:
    found = await places(
        "document: {dsl: 2.0.0, namespace: A B, name: x, version: 1}\ndo: [{a: {set: {}}}]"
    )
    assert set(found) == {"/document/dsl", "/document/namespace", "/document/version"}


async def test_json_and_yaml_say_the_same() -> None:
    text = tasks("a: {call: a2a, with: {agent: clerk, message: '${ .text }'}}", "b: {set: {x: 1}}")
    definition = await read(text)
    assert isinstance(definition.tasks[0].body, CallAgent)
    assert await read(json.dumps(definition.source)) == definition


async def test_reusables_are_put_in() -> None:
    retries = "retries: {soon: {delay: PT1S, backoff: {linear: {}}}}"
    use = f"use: {{{retries}, timeouts: {{short: {{after: PT2S}}}}}}\n"
    body = "do: [{a: {timeout: short, try: [{b: {set: {}}}], catch: {retry: soon}}}]"
    definition = await read(HEAD + use + body)
    task = definition.tasks[0]
    assert task.flow.timeout_s == 2
    assert isinstance(task.body, Try)
    assert task.body.catch.retry is not None
    assert task.body.catch.retry.backoff == "linear"


async def test_a_loop_may_stand_with_while() -> None:
    task = (await read(tasks("a: {for: {in: .x}, while: $item > 1, do: [{b: {set: {}}}]}"))).tasks[
        0
    ]
    assert isinstance(task.body, For)
    assert (task.body.each, task.body.at) == ("item", "index")
