"""Expressions see their data and nothing else, and none of them can hurt the others."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ai_agent_mesh.product.orchestration.expressions import (
    Bounds,
    ExpressionFailed,
    ExpressionPool,
    Scope,
)
from ai_agent_mesh.product.orchestration.expressions.paths import NOT_A_PATH, follow

SCOPE = Scope({"a": 1, "b": {"c": [1, 2]}}, {"context": {"x": 3}}, 1_700_000_000.5)
SMALL = Bounds(turn_s=0.7, memory_bytes=256 * 1024 * 1024)


@pytest.fixture
async def pool() -> AsyncIterator[ExpressionPool]:
    """Open a pool of one, so that a broken child must be replaced."""
    async with ExpressionPool(size=1, bounds=SMALL) as pool:
        yield pool


async def one(pool: ExpressionPool, program: str) -> Any:
    """Evaluate one program."""
    return (await pool.evaluate([program], SCOPE))[0]


@pytest.mark.parametrize(
    ("program", "value"),
    [
        (".a + $context.x", 4),
        ("env", {}),
        ("$ENV", {}),
        ("env | length", 0),
        ("input", None),
        ("[inputs]", []),
        ("debug | .a", 1),
        ("input_line_number", 0),
        ("get_search_list", []),
        ("now", 1_700_000_000.5),
        ("now | todate", "2023-11-14T22:13:20Z"),
        ("empty", None),
        (".a # a comment", 1),
    ],
)
async def test_an_expression_sees_its_data_and_no_surroundings(
    pool: ExpressionPool, program: str, value: Any
) -> None:
    assert await one(pool, program) == value


@pytest.mark.parametrize(
    "program",
    ['import "a" as a; .', 'include "a"; .', '"m" | modulemeta', "halt", ".a, .b", ".a.x", "$gone"],
)
async def test_what_reaches_out_or_makes_no_sense_fails(pool: ExpressionPool, program: str) -> None:
    with pytest.raises(ExpressionFailed):
        await one(pool, program)
    assert await one(pool, ".a + 1") == 2


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f: f; f", "takes longer"),
        ("reduce range(1e12) as $i (0; . + 1)", "takes longer"),
        ('"x" * 1e9 | length', "memory or time"),
    ],
)
async def test_an_endless_or_greedy_expression_is_killed_and_the_next_is_served(
    pool: ExpressionPool, program: str, reason: str
) -> None:
    with pytest.raises(ExpressionFailed, match=reason):
        await one(pool, program)
    assert await one(pool, ".a + 1") == 2


async def test_others_are_served_while_one_hangs() -> None:
    async with ExpressionPool(size=2, bounds=SMALL) as pool:
        hanging = asyncio.create_task(one(pool, "def f: f; f"))
        await asyncio.sleep(0.1)
        assert await one(pool, ".a + 1") == 2
        assert not hanging.done()
        with pytest.raises(ExpressionFailed):
            await hanging


async def test_a_batch_says_which_one_failed(pool: ExpressionPool) -> None:
    assert await pool.evaluate([".a + 1", ".b.c | add"], SCOPE) == [2, 3]
    with pytest.raises(ExpressionFailed) as caught:
        await pool.evaluate([".a + 1", ".a | keys"], SCOPE)
    assert caught.value.index == 1


PATHS = [
    ".",
    ".a",
    ".b.c",
    ".b",
    "$context",
    "$context.x.y",
    ".gone.deeper",
    " .a ",
    ".a.x",
    ".b.c.d",
]


@pytest.mark.parametrize("program", PATHS)
async def test_a_followed_path_means_what_jq_means(pool: ExpressionPool, program: str) -> None:
    followed = follow(program, SCOPE)
    try:
        [value] = await pool.evaluate([f"({program})"], SCOPE)
    except ExpressionFailed:
        assert followed is NOT_A_PATH
    else:
        assert followed == value


async def test_an_expression_is_not_at_fault_where_the_machine_stands_still() -> None:
    scope = Scope(data=[3, 1, 2], variables={}, now_s=0.0)
    async with ExpressionPool(size=1, bounds=SMALL) as pool:
        assert await pool.evaluate(["sort"], scope) == [[1, 2, 3]]
        [child] = pool._idle
        os.kill(child._process.pid, signal.SIGSTOP)
        evaluating = asyncio.create_task(pool.evaluate(["sort"], scope))
        done, _ = await asyncio.wait([evaluating], timeout=3 * SMALL.turn_s)
        assert not done
        os.kill(child._process.pid, signal.SIGCONT)
        assert await evaluating == [[1, 2, 3]]
