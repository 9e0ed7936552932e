"""Each kind of task does what the language says, and a second walk takes the same turns."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ai_agent_mesh.product.orchestration import ExpressionPool, Task, check_definition
from ai_agent_mesh.product.orchestration.errors import Raised, raised
from ai_agent_mesh.product.orchestration.interpreter import Facts, Interpreter
from ai_agent_mesh.product.orchestration.ports import Spot, State, Step

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HEAD = "document: {dsl: 1.0.1, namespace: test, name: sample, version: 1.0.0}\n"
HTTP = "call: http, with: {method: get, endpoint: 'http://x/%s'}"


class Outside:
    """Remembers what it was asked to do, and answers by the endpoint's last word."""

    def __init__(self, failing: Mapping[str, int] | None = None) -> None:
        self.failing = dict(failing or {})
        self.steps: list[Step] = []
        self.notes: dict[str, State] = {}
        self.now_s = AT.timestamp()
        self.since = AT

    async def perform(self, step: Step) -> Any:
        """Fail as often as was asked for, else give the endpoint's last word."""
        self.steps.append(step)
        self.now_s += 1
        if step.kind == "wait":
            self.now_s += step.arguments["seconds"]
            return None
        word = str(step.arguments["endpoint"]).rpartition("/")[2]
        if self.failing.get(word, 0) > 0:
            self.failing[word] -= 1
            raise raised("communication", "no", step.task.place, status=503)
        return {"got": word}

    def note(self, spot: Spot, task: Task, state: State, value: Any = None) -> None:
        """Remember a state."""
        del task, value
        self.notes[spot.key] = state


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[ExpressionPool]:
    """Open one pool for all."""
    async with ExpressionPool(size=1) as pool:
        yield pool


async def walk(
    pool: ExpressionPool, text: str, given: Any = None, outside: Outside | None = None
) -> Any:
    """Run a definition and return its output."""
    definition = await check_definition(HEAD + text, pool)
    facts = Facts("run_1", given, AT)
    return await Interpreter(definition, facts, outside or Outside(), pool).run()


GOOD = [
    ("do: [{a: {set: {x: '${ .n + 1 }', y: [1, '${ .n }']}}}]", {"n": 1}, {"x": 2, "y": [1, 1]}),
    ("do: [{a: {set: '${ .n }'}}]", {"n": [1]}, [1]),
    ("do: [{a: {do: [{b: {set: {x: 1}}}, {c: {set: '${ .x }'}}]}}]", None, 1),
    ("do: [{a: {if: .no, set: {x: 1}}}]", {"no": False}, {"no": False}),
    ("do: [{a: {set: {x: 1}, then: end}}, {b: {set: {x: 2}}}]", None, {"x": 1}),
    ("do: [{a: {do: [{b: {set: {x: 1}, then: exit}}, {c: {set: {x: 2}}}]}}]", None, {"x": 1}),
    ("do: [{a: {set: {x: 1}, then: c}}, {b: {set: {x: 2}}}, {c: {set: {y: '${ .x }'}}}]", None,
     {"y": 1}),
    (("do: [{s: {switch: [{p: {when: .n > 5, then: b}}, {q: {then: c}}]}}, {b: {set: {o: big},"
     " then: end}}, {c: {set: {o: small}}}]"), {"n": 9}, {"o": "big"}),
    (("do: [{s: {switch: [{p: {when: .n > 5, then: b}}, {q: {then: c}}]}}, {b: {set: {o: big},"
     " then: end}}, {c: {set: {o: small}}}]"), {"n": 1}, {"o": "small"}),
    (("do: [{f: {for: {each: x, in: '.l', at: i}, do: [{a: {set: {l: '${ .l }', s: '${ (.s // 0) +"
     " $x * $i }'}}}]}}]"), {"l": [5, 6, 7]}, {"l": [5, 6, 7], "s": 20}),
    ("do: [{f: {for: {in: '[1,2,3,4]'}, while: $item < 3, do: [{a: {set: {n: '${ $item }'}}}]}}]",
     None, {"n": 2}),
    ("do: [{a: {set: {x: 1}, export: {as: '{kept: .x}'}}}, {b: {set: {y: '${ $context.kept }'}}}]",
     None, {"y": 1}),
    ("input: {from: .inner}\noutput: {as: '{o: .}'}\ndo: [{a: {set: '${ . + 1 }'}}]", {"inner": 4},
     {"o": 5}),
    ("do: [{a: {input: {from: .i}, set: {x: '${ $input }'}, output: {as: '{z: .x}'}}}]", {"i": 3},
     {"z": 3}),
    (("do: [{t: {try: [{a: {raise: {error: {type: x, status: 418}}}}], catch: {errors: {with:"
     " {status: 418}}, as: e, do: [{b: {set: {s: '${ $e.status }', at: '${ $e.instance }'}}}]}}}]"),
     None, {"s": 418, "at": "/do/0/t/try/0/a"}),
    (("do: [{t: {try: [{a: {set: {x: '${ .n | keys }'}}}], catch: {do: [{b: {set: {t: '${"
     " $error.type | split(\"/\") | last }'}}}]}}}]"), {"n": 1}, {"t": "expression"}),
    ("do: [{t: {try: [{a: {raise: {error: {type: x, status: 1+1}}}}], catch: {when: .go, do: [{b:"
     " {set: {ok: 1}}}]}}}]".replace("1+1", "400"), {"go": True}, {"ok": 1}),
    ("do: [{a: {set: {id: '${ $workflow.id }', me: '${ $task.name }'}}}]", None,
     {"id": "run_1", "me": "a"}),
    ("do: [{a: {set: {t: '${ now | floor }'}}}]", None, {"t": int(AT.timestamp())}),
    ("do: [{a: {%s}}]" % (HTTP % "{id}"), {"id": "a b"}, {"got": "a%20b"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "given", "output"), GOOD)
async def test_a_task_does_what_the_language_says(
    pool: ExpressionPool, text: str, given: Any, output: Any
) -> None:
    assert await walk(pool, text, given) == output


RETRY = (
    "do: [{t: {try: [{a: {%s}}], catch: {errors: {with: {status: 503}}, retry: {delay: PT2S,"
    " backoff: {exponential: {}}, limit: {attempt: {count: 3}}}}}}]" % (HTTP % "flaky")
)


async def test_a_retry_pauses_longer_each_time_under_one_effect_key(pool: ExpressionPool) -> None:
    outside = Outside({"flaky": 2})
    assert await walk(pool, RETRY, None, outside) == {"got": "flaky"}
    waits = [step.arguments["seconds"] for step in outside.steps if step.kind == "wait"]
    assert waits == [2.0, 4.0]
    calls = [step.spot for step in outside.steps if step.kind == "call:http"]
    assert len({spot.key for spot in calls}) == 3
    assert len({spot.effect for spot in calls}) == 1
    assert [spot.attempt for spot in calls] == [1, 2, 3]


async def test_used_up_attempts_raise_the_last_error(pool: ExpressionPool) -> None:
    with pytest.raises(Raised) as caught:
        await walk(pool, RETRY, None, Outside({"flaky": 9}))
    assert caught.value.error["status"] == 503


async def test_an_error_that_does_not_match_goes_on_upwards(pool: ExpressionPool) -> None:
    text = RETRY.replace("status: 503", "status: 404")
    outside = Outside({"flaky": 1})
    with pytest.raises(Raised):
        await walk(pool, text, None, outside)
    assert len(outside.steps) == 1


async def test_each_turn_and_each_visit_has_a_key_of_its_own(pool: ExpressionPool) -> None:
    loop = f"for: {{in: '[1,2]'}}, do: [{{a: {{{HTTP % 'x'}}}}}]"
    text = f"do: [{{f: {{{loop}}}}}, {{g: {{{loop}}}}}]"
    outside = Outside()
    await walk(pool, text, None, outside)
    keys = [step.spot.key for step in outside.steps]
    assert keys == ["/f/[0]/a", "/f/[1]/a", "/g/[0]/a", "/g/[1]/a"]
    assert [step.spot.effect for step in outside.steps] == keys


async def test_a_second_walk_takes_the_same_turns(pool: ExpressionPool) -> None:
    one, two = Outside({"flaky": 2}), Outside({"flaky": 2})
    await walk(pool, RETRY, None, one)
    await walk(pool, RETRY, None, two)
    assert [step.spot for step in one.steps] == [step.spot for step in two.steps]
    assert one.notes == two.notes


async def test_a_circle_ends_with_an_error(pool: ExpressionPool) -> None:
    with pytest.raises(Raised, match="more than"):
        await walk(pool, "do: [{a: {set: {x: 1}}}, {b: {set: {x: 2}, then: a}}]")


async def test_a_timeout_sets_the_earlier_deadline(pool: ExpressionPool) -> None:
    text = (
        "timeout: {after: PT1H}\n"
        f"do: [{{a: {{{HTTP % 'x'}, timeout: {{after: PT5S}}}}}}, {{b: {{{HTTP % 'y'}}}}}]"
    )
    outside = Outside()
    await walk(pool, text, None, outside)
    deadlines = [step.deadline_s for step in outside.steps]
    assert deadlines == [AT.timestamp() + 5, AT.timestamp() + 3600]
