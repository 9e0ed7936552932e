"""Spans in PostgreSQL: figures are exact, ranges half-open, and tenants apart."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from tests.conftest import Databases

from ai_agent_mesh.product.telemetry import Kind, Recorder, Slice, SpanRecord, Telemetry
from ai_agent_mesh.product.telemetry.rules import place_after, place_of
from ai_agent_mesh.product.telemetry.service import TraceMissing, UnknownGrouping

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = Slice(AT, AT + timedelta(days=1))


def a_span(number: int, at: datetime = AT, **fields: object) -> SpanRecord:
    given: dict[str, object] = {
        "trace_id": f"{number // 10:032x}",
        "span_id": f"{number:016x}",
        "name": "invoke_agent sums",
        "kind": Kind.AGENT_CALL,
        "started_at": at,
        "duration_us": 1000 * number,
        "agent_id": "agt_1",
        "workflow": "orders",
        "attributes": {"n": number, "words": ["a"]},
        **fields,
    }
    return SpanRecord(**given)  # type: ignore[arg-type] # checked by the database


def nth(values: Sequence[int], quantile: float) -> int:
    """Return the smallest value that at least that share of all do not exceed."""
    ordered = sorted(values)
    return next(v for at, v in enumerate(ordered, 1) if at >= quantile * len(ordered))


async def test_a_span_comes_back_as_it_was_recorded(databases: Databases) -> None:
    whole = a_span(
        3, parent_id="b7ad6b7169203331", input_tokens=5, output_tokens=6, cost=Decimal("0.000123"),
        error_type="timeout", run_id="run_1",
    )  # fmt: skip
    async with databases.app.tenant("tnt_a") as tx:
        first = await Recorder(tx).record(whole)
        (second,) = await Recorder(tx).record_many([whole])
        spans = (await Telemetry(tx).trace(whole.trace_id)).spans
    assert sorted(span.id for span in spans) == sorted([first, second])
    for span in spans:
        assert {f: getattr(span, f) for f in SpanRecord.__struct_fields__} == {
            f: getattr(whole, f) for f in SpanRecord.__struct_fields__
        }


async def test_percentiles_are_those_of_the_durations_themselves(databases: Databases) -> None:
    draw = random.Random(7)  # noqa: S311 - a repeatable spread, no secret
    durations = [int(draw.lognormvariate(9, 1.5)) for _ in range(997)]
    spans = [
        a_span(
            number,
            AT + timedelta(seconds=draw.randrange(7200)),
            duration_us=us,
            error_type="timeout" if number % 10 == 0 else None,
            input_tokens=number,
            cost=Decimal("0.01") if number % 2 else None,
        )
        for number, us in enumerate(durations)
    ]
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record_many(spans)
        figures = await Telemetry(tx).percentiles(DAY)
        step, buckets = await Telemetry(tx).series(DAY, HOUR)
    assert (figures.count, figures.errors) == (997, 100)
    assert figures.input_tokens == sum(range(997))
    assert figures.cost == Decimal("4.98")
    wanted = [nth(durations, q) for q in (0.5, 0.95, 0.99)]
    assert [figures.p50_us, figures.p95_us, figures.p99_us] == wanted
    assert (step, len(buckets)) == (HOUR, 24)
    for number in (0, 1):
        inside = [s.duration_us for s in spans if (s.started_at - AT) // HOUR == number]
        assert buckets[number].count == len(inside)
        assert buckets[number].p95_us == nth(inside, 0.95)
    assert [each.count for each in buckets[2:]] == [0] * 22


async def test_a_range_holds_its_first_moment_and_not_its_last(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record_many([a_span(1, AT), a_span(2, AT + HOUR)])
        assert (await Telemetry(tx).percentiles(Slice(AT, AT + HOUR))).count == 1
        assert (await Telemetry(tx).percentiles(Slice(AT - HOUR, AT))).count == 0


async def test_a_question_may_be_about_one_agent_workflow_or_kind(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record_many(
            [
                a_span(1),
                a_span(2, agent_id="agt_2"),
                a_span(3, workflow=None),
                a_span(4, kind=Kind.RUN, agent_id=None),
            ]
        )
        telemetry = Telemetry(tx)
        asked = [
            Slice(AT, AT + HOUR, agent_id="agt_2"),
            Slice(AT, AT + HOUR, workflow="orders"),
            Slice(AT, AT + HOUR, Kind.RUN),
        ]
        assert [(await telemetry.percentiles(part)).count for part in asked] == [1, 3, 1]


async def test_usage_counts_agent_calls_once_by_agent_workflow_and_day(
    databases: Databases,
) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record_many(
            [
                a_span(1, input_tokens=10, output_tokens=1, cost=Decimal("0.5")),
                a_span(2, AT + timedelta(hours=16), input_tokens=20, error_type="timeout"),
                a_span(3, agent_id="agt_2", workflow=None, cost=Decimal("0.25")),
                a_span(4, kind=Kind.TASK, input_tokens=30),
            ]
        )
        telemetry = Telemetry(tx)
        agents = await telemetry.usage(DAY, "agent")
        assert [(u.key, u.calls, u.errors, u.input_tokens, u.cost) for u in agents] == [
            ("agt_1", 2, 1, 30, Decimal("0.5")),
            ("agt_2", 1, 0, 0, Decimal("0.25")),
        ]
        assert [u.key for u in await telemetry.usage(DAY, "workflow")] == ["orders", None]
        days = [(u.key, u.calls) for u in await telemetry.usage(DAY, "day")]
        assert days == [("2026-11-23", 2), ("2026-11-24", 1)]
        with pytest.raises(UnknownGrouping):
            await telemetry.usage(DAY, "agent_id; DROP TABLE span")


async def test_pages_of_spans_go_back_in_time_without_gap_or_repetition(
    databases: Databases,
) -> None:
    spans = [a_span(n, AT + timedelta(seconds=n // 3)) for n in range(20)]
    async with databases.app.tenant("tnt_a") as tx:
        ids = await Recorder(tx).record_many(spans)
        seen, before = [], None
        while page := await Telemetry(tx).spans(DAY, before, 3):
            seen += page
            before = place_after(place_of(page[-1]))
    assert sorted(span.id for span in seen) == sorted(ids)
    moments = [span.started_at for span in seen]
    assert moments == sorted(moments, reverse=True)


async def test_one_tenants_spans_are_nothing_to_another(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record(a_span(1))
    async with databases.app.tenant("tnt_b") as tx:
        telemetry = Telemetry(tx)
        assert (await telemetry.percentiles(DAY)).count == 0
        assert await telemetry.spans(DAY, None, 10) == []
        assert await telemetry.usage(DAY, "agent") == []
        with pytest.raises(TraceMissing):
            await telemetry.trace(a_span(1).trace_id)
    async with databases.operations.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM span") == 1


async def test_a_recorded_span_cannot_be_rewritten(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        await Recorder(tx).record(a_span(1))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with databases.app.tenant("tnt_a") as tx:
            await tx.execute("UPDATE span SET duration_us = 0")


async def test_a_trace_that_is_none_is_missing(databases: Databases) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        for text in ("0" * 32, "nonsense", "'; --"):
            with pytest.raises(TraceMissing):
                await Telemetry(tx).trace(text)
