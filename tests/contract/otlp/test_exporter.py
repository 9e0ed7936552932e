"""Spans reach a real OTLP receiver, and one that is slow or away holds nobody up."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from prometheus_client import CollectorRegistry
from tests.conftest import Databases

from ai_agent_mesh.adapters.otlp import OtlpExporter
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.product.telemetry import Kind, Recorder, SpanRecord, listen, names

AT = datetime(2026, 11, 23, 9, 0, 0, 123457, tzinfo=UTC)


def a_span(number: int = 1) -> SpanRecord:
    return SpanRecord(
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id=f"{number:016x}",
        parent_id="b7ad6b7169203331",
        name="invoke_agent sums",
        kind=Kind.AGENT_CALL,
        started_at=AT,
        duration_us=1_500,
        attributes={names.REQUEST_MODEL: "small", "list": ["a", "b"]},
        input_tokens=12,
        output_tokens=7,
        cost=Decimal("0.0031"),
        error_type="timeout",
        agent_id="agt_1",
        workflow="orders",
        run_id="run_1",
    )


@asynccontextmanager
async def receiver(delay_s: float = 0) -> AsyncIterator[tuple[str, "asyncio.Queue[bytes]"]]:
    """Start a receiver; yield its address and the lines that it says, one a span."""
    program = Path(__file__).with_name("receiver.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(delay_s), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), 20))
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(lines: asyncio.StreamReader) -> None:
        async for line in lines:
            said.put_nowait(line)

    reading = asyncio.create_task(read(process.stdout))
    try:
        yield f"http://127.0.0.1:{port}", said
    finally:
        process.kill()
        await reading
        await process.wait()


def counted(metrics: Metrics) -> dict[str, float]:
    found = {}
    for outcome in ("sent", "failed", "dropped"):
        value = metrics.registry.get_sample_value("mesh_spans_exported_total", {"outcome": outcome})
        found[outcome] = value or 0
    return found


async def test_a_recorded_span_reaches_the_receiver_whole(databases: Databases) -> None:
    metrics = Metrics(registry=CollectorRegistry())
    async with receiver() as (address, lines):
        exporter = OtlpExporter(address + "/", metrics, service="mesh-test")
        ended = listen(exporter)
        try:
            async with databases.app.tenant("tnt_a") as tx:
                await Recorder(tx).record(a_span())
            said = json.loads(await asyncio.wait_for(lines.get(), 20))
        finally:
            ended()
            await asyncio.to_thread(exporter.close)
    assert said == {
        "path": "/v1/traces",
        "service": "mesh-test",
        "name": "invoke_agent sums",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "0000000000000001",
        "parent_id": "b7ad6b7169203331",
        "kind": 3,
        "status": 2,
        "duration_us": 1_500,
        "start_us": int(AT.replace(microsecond=0).timestamp()) * 1_000_000 + 123_457,
        "attributes": {
            "mesh.tenant.id": "tnt_a",
            "mesh.span.kind": "agent_call",
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.id": "agt_1",
            "gen_ai.workflow.name": "orders",
            "gen_ai.request.model": "small",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 7,
            "mesh.run.id": "run_1",
            "mesh.usage.cost": "0.0031",
            "error.type": "timeout",
            "list": ["a", "b"],
        },
    }
    assert counted(metrics) == {"sent": 1, "failed": 0, "dropped": 0}


async def test_what_waits_at_the_end_is_still_sent() -> None:
    metrics = Metrics(registry=CollectorRegistry())
    async with receiver() as (address, _):
        exporter = OtlpExporter(address, metrics)
        for number in range(1, 701):
            exporter("tnt_a", a_span(number))
        await asyncio.to_thread(exporter.close)
    assert counted(metrics) == {"sent": 700, "failed": 0, "dropped": 0}


async def test_a_slow_receiver_costs_the_recorder_nothing_and_drops_are_counted() -> None:
    metrics = Metrics(registry=CollectorRegistry())
    async with receiver(delay_s=5) as (address, _):
        exporter = OtlpExporter(address, metrics, most_waiting=600)
        began = time.perf_counter()
        for number in range(1, 3_001):
            exporter("tnt_a", a_span(number))
        taken_s = time.perf_counter() - began
        await asyncio.to_thread(exporter.close, 0.2)
    for _ in range(200):  # the batch under way is counted when its receiver has gone
        found = counted(metrics)
        if sum(found.values()) == 3_000:
            break
        await asyncio.sleep(0.1)
    assert found["dropped"] >= 3_000 - 600 - 512
    assert sum(found.values()) == 3_000
    assert taken_s < 2


async def test_a_receiver_that_is_away_is_counted_as_failed_or_dropped() -> None:
    metrics = Metrics(registry=CollectorRegistry())
    exporter = OtlpExporter("http://127.0.0.1:9", metrics)
    exporter("tnt_a", a_span())
    await asyncio.to_thread(exporter.close, 0.5)
    found = counted(metrics)
    assert found["sent"] == 0
    assert sum(found.values()) == 1
