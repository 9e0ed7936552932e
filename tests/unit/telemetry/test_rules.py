"""Ranges are bounded, steps fit, and empty steps are shown."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.product.telemetry import Bucket, Slice, names
from ai_agent_mesh.product.telemetry.rules import (
    LONGEST,
    MOST_BUCKETS,
    MalformedPlace,
    UnusableRange,
    checked,
    filled,
    place_after,
)

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def bucket(since: datetime, count: int) -> Bucket:
    return Bucket(
        since=since, count=count, errors=0, input_tokens=0, output_tokens=0, cost=Decimal(0),
        p50_us=1, p95_us=1, p99_us=1,
    )  # fmt: skip


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=LONGEST))
def test_a_chosen_step_makes_a_readable_number_of_buckets(length: timedelta) -> None:
    step = checked(Slice(AT, AT + length))
    assert length / step <= 120


@given(
    st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST),
    st.timedeltas(min_value=timedelta(seconds=1), max_value=LONGEST),
)
def test_the_refusal_of_a_step_names_one_that_is_accepted(
    length: timedelta, step: timedelta
) -> None:
    part = Slice(AT, AT + length)
    try:
        assert checked(part, step) == step
        assert len(filled(part, step, [])) <= MOST_BUCKETS + 1
    except UnusableRange as refused:
        advised = int(refused.faults[0].reason.split("take ")[1].split(" ")[0])
        checked(part, timedelta(seconds=advised))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(UnusableRange) as raised:
        checked(Slice(AT, AT - timedelta(hours=1)), timedelta(0))
    assert [fault.place for fault in raised.value.faults] == ["until", "step_s"]


@pytest.mark.parametrize(
    ("since", "until", "place"),
    [
        (AT - LONGEST - timedelta(seconds=1), AT, "since"),
        (AT, AT, "until"),
        (AT.replace(tzinfo=None), AT, "since"),
        (AT, AT.replace(tzinfo=None), "until"),
    ],
)
def test_an_unusable_range_is_refused(since: datetime, until: datetime, place: str) -> None:
    with pytest.raises(UnusableRange) as raised:
        checked(Slice(since, until))
    assert raised.value.faults[0].place == place


def test_empty_steps_are_zero_and_have_no_percentiles() -> None:
    step = timedelta(minutes=1)
    part = Slice(AT, AT + timedelta(minutes=2, seconds=30))
    found = filled(part, step, [bucket(AT + step, 4)])
    assert [(each.since, each.count) for each in found] == [
        (AT, 0),
        (AT + step, 4),
        (AT + 2 * step, 0),
    ]
    assert found[0].p50_us is None


def test_a_range_in_another_zone_finds_its_buckets() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    part = Slice(AT.astimezone(zone), (AT + timedelta(hours=1)).astimezone(zone))
    assert filled(part, timedelta(hours=1), [bucket(AT, 3)])[0].count == 3


@pytest.mark.parametrize("text", ["", "x", "2026-11-23T09:00:00", "2026-11-23T09:00:00+00:00 "])
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(MalformedPlace):
        place_after(text)


def test_our_names_are_those_of_the_conventions() -> None:
    """The package marks them as moved to another repository; the names themselves stand."""
    from opentelemetry.semconv._incubating.attributes import error_attributes, gen_ai_attributes

    published = {
        value
        for module in (gen_ai_attributes, error_attributes)
        for value in vars(module).values()
        if isinstance(value, str)
    } | {each.value for each in gen_ai_attributes.GenAiOperationNameValues}
    ours = {
        value
        for name, value in vars(names).items()
        if name.isupper() and not str(value).startswith("mesh.")
    }
    assert ours <= published
