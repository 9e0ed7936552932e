"""What is drawn of a month: in its place, never beyond the edge, its words clear of each other."""

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs
from tests.unit.objectives.evidence import API, marred
from tests.unit.objectives.test_burndown import MONTH, at, drawn, stated

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.objectives.console.budget import BudgetDrawing, budget_drawing
from ai_agent_mesh.operations.objectives.console.burn import burn_drawing, meters
from ai_agent_mesh.operations.objectives.console.latency import Scale, Timed
from ai_agent_mesh.operations.objectives.standing import Work
from ai_agent_mesh.operations.statements import Ahead, Burndown, Burning

TOP, BOTTOM = 46, 206


def line(lost: int, *, rate: str = "2", ends: str | None = "-0.5") -> Burndown:
    """Return eleven days of which so many minutes were lost on the 3rd."""
    bad = [marred(at(3) + timedelta(minutes=n), API, 1, 1) for n in range(lost)]
    days = [(Span(at(n), at(n + 1)), 1_000, lost if n == 3 else 0) for n in range(1, 11)]
    one = drawn(stated(bad, at(11)), *days)
    left = str(float(one.points[-1][1]))
    ahead = Ahead(
        month_remaining_ratio=left, projected_remaining_ratio=ends or "0", exhausted_at=None
    )
    burn = (Burning(window="24h", valid=9, bad=1, rate=rate, alarms_above="3"),)
    slo = structs.replace(one.slo, burn=burn, ahead=ahead if ends else None)
    return Burndown(slo, one.span, one.until, one.points, one.days, one.outages)


def told(one: Burndown, *works: Work) -> BudgetDrawing:
    return budget_drawing(one, works, MONTH)


def test_a_line_goes_from_the_left_edge_down_to_the_present() -> None:
    drawing = told(line(2))
    corners = [tuple(map(float, corner.split(","))) for corner in drawing.line.split()]
    assert corners[0] == (0.0, float(TOP))
    assert corners[-1][0] == pytest.approx(1000 / 3, abs=0.01)
    assert drawing.now is not None
    assert drawing.now[0] == "33.333%"
    assert drawing.now[1] == pytest.approx(corners[-1][1], abs=0.01)
    assert [level.words for level in drawing.levels] == ["100%", "50%", "0%", "−50%"]
    assert [mark.x for mark in drawing.outages] == ["6.667%"]
    assert drawing.summary == (
        "By 11 November, 00:00 UTC 53.7% of the month's budget is left; 53.7% will be at its end "
        "if nothing more fails; −50% will be at its end if it burns on; 2 unavailable minutes "
        "spent it, in 1 outage."
    )


def test_what_is_far_overspent_stays_on_the_edge_and_says_so() -> None:
    drawing = told(line(500, ends="-300"))
    assert drawing.levels[-1].words == "−100% and below"
    assert drawing.now is not None
    assert drawing.now[1] == BOTTOM
    assert [ending.label.words for ending in drawing.endings] == [
        "−30,000% if it burns on",
        "−11,475% if nothing more fails",
    ]


@given(some.integers(0, 30), some.fractions(-3, 1))
def test_words_at_the_end_never_lie_on_each_other(lost: int, ends: Fraction) -> None:
    drawing = told(line(lost, ends=str(float(ends))))
    heights = sorted(ending.label.words_y for ending in drawing.endings)
    assert all(after - before >= 16 for before, after in pairwise(heights))
    assert all(12 < height <= BOTTOM for height in heights)
    assert all(TOP <= y <= BOTTOM for ending in drawing.endings for y in ending.line)


def test_where_both_ways_come_to_the_same_they_are_one() -> None:
    assert [e.label.words for e in told(line(0, ends="1")).endings] == ["100% either way"]
    assert [e.kind for e in told(line(1, ends=None)).endings] == ["still"]


def test_before_anything_is_judged_nothing_is_claimed() -> None:
    one = drawn(stated([], at(1)))
    drawing = told(one)
    assert (drawing.now, drawing.endings, drawing.outages) == (None, [], [])
    assert drawing.summary.startswith("Nothing has been judged yet")
    assert burn_drawing(one, MONTH).summary.startswith("No valid call")
    assert burn_drawing(one, MONTH).peak is None


def test_planned_work_is_drawn_where_it_concerns_and_says_what_it_does() -> None:
    span = Span(at(29, 2), at(29, 6))
    works = [
        Work("Disks", span, frozenset({"api"}), excluded=True),
        Work("Cables", span, frozenset({"telemetry"}), excluded=False),
    ]
    assert len(told(line(0), *works).works) == 2
    one = drawn(stated([], at(11)), service="api")
    [(mark, excluded)] = told(one, *works).works
    assert (mark.x, excluded) == ("93.611%", True)
    assert mark.words.startswith("Maintenance, Disks: 29 November, 02:00 UTC to")
    assert mark.words.endswith("its minutes are left out")


def test_a_tenants_month_begins_where_it_began() -> None:
    one = line(0)
    late = Burndown(one.slo, Span(at(6), at(11)), one.until, one.points, (), ())
    before = told(late).before
    assert before is not None
    assert (before.x, before.width, before.words) == (
        "0%", "16.667%", "Judged since 6 November, 00:00 UTC",
    )  # fmt: skip


def test_a_day_says_in_shape_how_fast_it_burned() -> None:
    days = [
        (Span(at(n), at(n + 1)), valid, bad)
        for n, (valid, bad) in enumerate(
            [(0, 0), (10_000, 0), (20_000, 1), (10_000, 3), (10, 9)], 1
        )
    ]
    one = drawn(stated([], at(6)), *days)
    burn = (Burning(window="24h", valid=1, bad=0, rate="0", alarms_above="3"),)
    one = Burndown(structs.replace(one.slo, burn=burn), *(
        getattr(one, name) for name in ("span", "until", "points", "days", "outages")
    ))  # fmt: skip
    drawing = burn_drawing(one, MONTH)
    assert [bar.kind for bar in drawing.bars] == ["none", "calm", "calm", "fast", "alarming"]
    assert [bar.words for bar in drawing.bars][2:] == [
        "3 November: burn rate 0.5", "4 November: burn rate 3", "5 November: burn rate 9,000",
    ]  # fmt: skip
    heights = [bar.height for bar in drawing.bars[1:]]
    assert heights == sorted(heights)
    assert drawing.peak is not None
    assert drawing.peak[2] == "9,000 on 5 Nov"
    assert drawing.summary == (
        "On 2 of 4 days with calls the budget burned faster than evenly, on 1 faster than a day's "
        "alarm (3); the highest rate was 9,000 on 5 November."
    )


def test_a_meter_reaches_past_the_mark_exactly_when_it_burns_too_fast() -> None:
    windows = [
        ("1h", "14.4", "14.4"),
        ("6h", "6.1", "6"),
        ("24h", "infinite", "3"),
        ("72h", None, None),
    ]
    burn = tuple(
        Burning(window=name, valid=9, bad=1, rate=rate, alarms_above=above)
        for name, rate, above in windows
    )
    found = meters(structs.replace(line(0).slo, burn=burn))
    assert [one.burning for one in found] == [False, True, True, False]
    assert [one.rate for one in found] == ["14.4", "6.1", "∞", "–"]
    for one in found[:3]:
        assert one.alarm is not None
        reached, mark = float(one.reach[:-1]), float(one.alarm[:-1])
        assert (reached > mark) is one.burning
    assert (found[2].reach, found[3].reach, found[3].alarms_above) == ("100%", "0%", "no rate")


def test_a_percentile_is_drawn_beside_its_promise_and_only_a_broken_one_is_filled() -> None:
    kept, broken, unseen = (
        structs.replace(line(0).slo, kind="latency", threshold_ms=10, percentile_ms=ms, met=met)
        for ms, met in ((1.0, True), (100_000.0, False), (None, None))
    )
    scale = Scale.over([kept, broken, unseen])
    assert "100,000 ms" in scale.words
    assert scale.timed(kept) == Timed("1%", "20%", missed=False)
    assert scale.timed(broken) == Timed("100%", "20%", missed=True)
    assert scale.timed(unseen) is None
