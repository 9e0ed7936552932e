"""Calls add up by whose fault they were and by the promised thresholds."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ai_agent_mesh.evidence.rollup import Judged, Tally, judged, thresholds
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Fault, Sketch

AT = datetime(2026, 11, 23, 6, 25, 59, 999999, tzinfo=UTC)
PROMISED = {"agent_crud": (100, 200, 300)}
KEY = ("tnt_a", AT.replace(second=0, microsecond=0), "api", "agent_crud")


def call(fault: Fault = Fault.NONE, latency_us: int = 50, **changes: str) -> Judged:
    one = Judged(
        kind="call", at=AT, tenant="tnt_a", service="api", category="agent_crud", fault=fault,
        latency_us=latency_us,
    )  # fmt: skip
    return msgspec.structs.replace(one, **changes)


def tallied(*calls: Judged) -> Tally:
    tally = Tally()
    for one in calls:
        tally.add("tnt_a", one, PROMISED)
    return tally


@pytest.mark.parametrize(
    ("latency_us", "within"),
    [(99, (1, 1, 1)), (100, (0, 1, 1)), (200, (0, 0, 1)), (300, (0, 0, 0))],
)
def test_a_threshold_is_met_strictly_under_it(
    latency_us: int, within: tuple[int, int, int]
) -> None:
    count = tallied(call(latency_us=latency_us)).minutes[KEY]
    assert (count.within_p50, count.within_p95, count.within_p99) == within


@pytest.mark.parametrize(
    ("fault", "figures"),
    [
        (Fault.NONE, (1, 1, 0, 1, 1, 1, 1)),
        (Fault.CLIENT, (1, 0, 0, 0, 0, 0, 0)),
        (Fault.QUOTA, (1, 0, 0, 0, 0, 0, 0)),
        (Fault.UPSTREAM, (1, 1, 0, 0, 0, 0, 0)),
        (Fault.PLATFORM, (1, 1, 1, 1, 0, 0, 0)),
    ],
)
def test_a_fault_decides_where_a_call_counts(fault: Fault, figures: tuple[int, ...]) -> None:
    assert tallied(call(fault)).minutes[KEY].figures == figures


@pytest.mark.parametrize("was", list(Fault))
@pytest.mark.parametrize("now", list(Fault))
def test_a_corrected_call_counts_as_if_it_had_been_so(was: Fault, now: Fault) -> None:
    later = AT + timedelta(days=3)
    correction = call(now, 150, kind="amendment")
    correction = msgspec.structs.replace(
        correction, at=later, detail={"at": AT.isoformat(), "was": was.value}
    )
    corrected, straight = tallied(call(was, 150), correction), tallied(call(now, 150))
    assert corrected.minutes == straight.minutes
    assert {k: n for k, n in corrected.buckets.items() if n} == dict(straight.buckets)


def test_a_correction_that_says_no_moment_changes_nothing() -> None:
    for detail in ({}, {"at": "2026-11-05T10:00:00", "was": "none"}, {"at": "x", "was": "none"}):
        one = msgspec.structs.replace(call(kind="amendment"), detail=detail)
        assert not tallied(one).minutes


def test_only_calls_count() -> None:
    assert not tallied(call(kind="act"), call(kind="stream_closed")).minutes


def test_a_category_without_a_promise_is_counted_and_not_timed() -> None:
    tally = tallied(call(category="other"))
    (count,) = tally.minutes.values()
    assert count.figures == (1, 1, 0, 0, 0, 0, 0)
    assert sum(tally.buckets.values()) == 1


def test_the_sketch_counts_each_timed_call_in_its_bucket() -> None:
    tally = tallied(call(latency_us=50), call(latency_us=50), call(Fault.UPSTREAM))
    assert dict(tally.buckets) == {(KEY, Sketch.index_of(50)): 2}


def test_the_thresholds_are_the_playbook_s() -> None:
    playbook = default()
    promised = thresholds(playbook)
    assert set(promised) == {str(category) for category in playbook.latency}
    for category, latency in playbook.latency.items():
        assert promised[str(category)][1] == latency.p95.total_seconds() * 1_000_000


@pytest.mark.parametrize("raw", [b"", b"\xff", b"{}", b'{"kind":"call","at":1}'])
def test_bytes_that_cannot_be_read_count_nowhere(raw: bytes) -> None:
    assert judged(raw) is None
