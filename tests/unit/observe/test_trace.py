"""A trace is continued from a sound header and begun anew from a broken one."""

import asyncio

import pytest

from ai_agent_mesh.plumbing.observe import Trace, bound, current

HEADER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_sound_header_is_continued_with_a_span_of_our_own() -> None:
    trace = Trace.begin(HEADER)
    assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert trace.parent_id == "b7ad6b7169203331"
    assert trace.span_id != trace.parent_id
    assert trace.traceparent == f"00-{trace.trace_id}-{trace.span_id}-01"


def test_whether_it_is_sampled_is_passed_on() -> None:
    assert Trace.begin(HEADER[:-2] + "00").traceparent.endswith("-00")


@pytest.mark.parametrize(
    "header",
    [None, "", "nonsense", HEADER.replace("00-", "ff-", 1), HEADER + "-more",
     HEADER.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01",
     f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", HEADER[:-1]],
)  # fmt: skip
def test_a_broken_header_begins_a_new_trace(header: str | None) -> None:
    trace = Trace.begin(header)
    assert trace.parent_id is None
    assert trace.trace_id not in HEADER
    assert len(trace.trace_id) == 32


def test_a_later_version_may_carry_more() -> None:
    assert Trace.begin(HEADER.replace("00-", "01-", 1) + "-more").parent_id is not None


async def test_each_task_has_its_own_trace() -> None:
    async def inside(trace: Trace) -> Trace | None:
        with bound(trace):
            await asyncio.sleep(0)
            return current()

    traces = [Trace.begin() for _ in range(5)]
    assert await asyncio.gather(*map(inside, traces)) == traces
    assert current() is None


def test_a_child_names_its_cause() -> None:
    trace = Trace.begin(request_id="req_1")
    child = trace.child()
    assert (child.trace_id, child.parent_id) == (trace.trace_id, trace.span_id)
    assert child.request_id == "req_1"
