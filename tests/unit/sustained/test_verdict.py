"""What the verdict on a load rests on."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import sustained
from benchmarks.sustained.cast import MIX, SHARE, TENANTS, rates, wheel
from benchmarks.sustained.evidence import Judged
from benchmarks.sustained.k6 import Seen
from benchmarks.sustained.report import Report
from benchmarks.sustained.watch import Sample, Watch, slope

from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Category, Sketch

SCRIPT = (Path(sustained.__path__[0]) / "mix.js").read_text()
CALLS = 100


def _sample(lag_s: float) -> Sample:
    return Sample(0, {"api": 1}, {"api": 1}, 1, lag_s)


def _judged(within_p99: int = CALLS, bad: int = 0) -> Judged:
    within = {"p50": 60, "p95": 96, "p99": within_p99}
    return Judged(CALLS, bad, CALLS, within, Sketch.of([2_000] * CALLS))


def _report() -> Report:
    judged = {str(category): _judged() for category in default().latency}
    seen = Seen(requests=CALLS * len(judged), refused=0, dropped=0, latency_ms={})
    return Report(default(), 300, 600, seen, judged, Watch([_sample(0.2)]))


def test_a_load_holds_when_every_promise_does() -> None:
    assert _report().holds


@pytest.mark.parametrize(
    "spoiled",
    [
        {"seen": Seen(requests=501, refused=0, dropped=0, latency_ms={})},
        {"seen": Seen(requests=500, refused=1, dropped=0, latency_ms={})},
        {"seen": Seen(requests=500, refused=0, dropped=1, latency_ms={})},
        {"watch": Watch([_sample(1.1)])},
    ],
    ids=["a call without an entry", "a refusal", "a request not sent", "a late number"],
)
def test_a_load_does_not_hold_after(spoiled: dict[str, Seen | Watch]) -> None:
    assert not replace(_report(), **spoiled).holds  # type: ignore[arg-type] # one of two fields


@pytest.mark.parametrize("spoiled", [_judged(within_p99=98), _judged(bad=1)])
def test_one_category_that_misses_is_enough(spoiled: Judged) -> None:
    report = _report()
    judged = {**report.judged, "policy_evaluation": spoiled}
    assert not replace(report, judged=judged).holds


def test_tenants_with_a_limit_stay_within_it() -> None:
    shares = rates(default(), 300)
    for name, (count, _) in TENANTS.items():
        limit = default().tiers[name].requests_per_minute
        assert limit is None or shares[name] / count * 60 == pytest.approx(limit * SHARE)
    assert sum(shares.values()) == pytest.approx(300)


def test_every_act_of_the_mix_is_one_of_the_script() -> None:
    acts = set(re.findall(r"^  (\w+): \(one\) =>", SCRIPT, re.MULTILINE))
    assert acts == set(MIX)
    assert sorted(wheel(MIX)) == sorted(act for act, count in MIX.items() for _ in range(count))


def test_every_promised_category_is_asked() -> None:
    assert set(re.findall(r"'([a-z_]+)'(?:,|\n)", SCRIPT)) & set(Category) >= set(default().latency)


def test_what_others_spend_on_the_machine_is_told_apart() -> None:
    first = Sample(0, {"api": 1}, {"api": 2}, 10, 0)
    watch = Watch([first, Sample(10, {"api": 1}, {"api": 7}, 18, 0)])
    assert (watch.cores("api"), watch.cores_elsewhere()) == pytest.approx((0.5, 0.3))


def test_the_slope_of_memory_is_that_of_the_best_line() -> None:
    assert slope([(0, 10), (1, 12), (2, 14)]) == pytest.approx(2)
    assert slope([(0, 10), (1, 10)]) == 0
