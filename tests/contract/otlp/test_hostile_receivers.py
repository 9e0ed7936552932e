"""A receiver of spans that hangs, drips, pours or sends elsewhere costs one batch and no more."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from tests.contract.agents.processes import running
from tests.contract.otlp.test_exporter import a_span, counted

from ai_agent_mesh.adapters.otlp import OtlpExporter
from ai_agent_mesh.adapters.otlp.bounded import ANSWER_BYTES, BoundedSession
from ai_agent_mesh.plumbing.observe import Metrics

# What was taken is known by the status, which these send before they misbehave, or not at all.
RECEIVERS = {
    "hang": "failed", "drip": "failed", "slow-head": "sent", "half": "failed", "shut": "failed",
    "elsewhere": "failed", "pour": "sent", "huge": "sent", "bomb": "sent", "garbage": "sent",
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    with running("tests.contract.agents.hostile") as url:
        yield url


async def test_each_hostile_receiver_has_an_end_and_is_counted(hostile: str) -> None:
    metrics = {how: Metrics(registry=CollectorRegistry()) for how in RECEIVERS}
    exporters = [
        OtlpExporter(f"{hostile}/{how}", counts, try_s=0.5) for how, counts in metrics.items()
    ]
    for number in (1, 2):  # the second shows that the thread has come back from the first
        for exporter in exporters:
            exporter("tnt_a", a_span(number))
        async with asyncio.timeout(30):
            while any(sum(counted(each).values()) < number for each in metrics.values()):
                await asyncio.sleep(0.05)
    for exporter in exporters:
        await asyncio.to_thread(exporter.close)
    for how, outcome in RECEIVERS.items():
        assert counted(metrics[how])[outcome] == 2, (how, counted(metrics[how]))


@pytest.mark.parametrize("how", ["pour", "huge", "bomb"])
async def test_no_more_of_an_answer_is_read_than_a_receiver_has_to_say(
    hostile: str, how: str
) -> None:
    with BoundedSession(5) as session:
        answer = await asyncio.to_thread(session.post, f"{hostile}/{how}", data=b"", timeout=5)
    assert len(answer.content) <= ANSWER_BYTES
