"""The default playbook's values, what a user's file overrides, and how values are written back."""

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import (
    Plain,
    Playbook,
    default,
    differences,
    flat,
    load,
    markdown,
    parse,
    plain,
    promising,
    units,
)
from ai_agent_mesh.playbook.shapes import Choice, Record, Row, Scalar, Shape, Table, record_of
from ai_agent_mesh.sla import BestEffort, BusinessDays, Weekday, WeeklyWindow, Years

MONTH = Month(2026, 11)


def over(text: str) -> Playbook:
    return parse(text.encode(), "mine.yaml")


def test_values_are_typed_and_exact() -> None:
    book = default()
    assert book.tiers["professional"].uptime == Fraction(999, 1000)
    assert book.tiers["free"].requests_per_minute == 60
    assert book.tiers["enterprise"].requests_per_minute is None
    assert book.limits.request_bytes == 10_000_000
    assert book.keys.rotation == timedelta(days=90)
    assert book.latency["policy_evaluation"].p50 == timedelta(milliseconds=5)
    assert book.maintenance.window == WeeklyWindow(Weekday.SUNDAY, time(2), time(6))
    assert book.oncall.pay.stipend == Money(Decimal(500), "USD")
    assert book.compliance.audit.retention == Years(7)
    assert book.support["free"].response["sev1"] is BestEffort.BEST_EFFORT
    assert book.support["professional"].response["sev4"] == BusinessDays(2)
    assert book.document.updated == date(2025, 10, 30)
    assert book.durability.database == 1 - Fraction(1, 10**11)
    assert book.growth["daily_api_calls"].in_12_months == 150_000_000


def test_figures_that_the_source_states_twice_are_separate_keys() -> None:
    book = default()
    assert book.tiers["professional"].recovery_time == timedelta(hours=1)
    assert book.high_availability.regions.recovery_time == timedelta(minutes=15)
    assert book.backups.database.compliance_retention == timedelta(days=365)
    assert book.severities["sev1"].resolve_within == timedelta(hours=4)
    assert book.kpis.platform.resolve_within["sev1"] == timedelta(hours=1)
    assert book.support["enterprise"].response["sev1"] == timedelta(hours=1)


def test_a_playbook_cannot_be_changed() -> None:
    book = default()
    with pytest.raises(AttributeError):
        book.limits.request_bytes = 1  # type: ignore[misc] # it must not
    with pytest.raises(TypeError):
        book.tiers["free"] = book.tiers["enterprise"]  # type: ignore[index] # it must not


def test_a_users_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("tiers: {free: {requests_per_minute: 90}}\n")
    found = list(differences(default(), load(path)))
    assert [(each.kind, each.key, each.before, each.after) for each in found] == [
        ("changed", "tiers.free.requests_per_minute", 60, 90)
    ]


def test_a_list_is_replaced_whole_and_none_removes_what_may_be_left_out() -> None:
    assert over("reviews: {weekly: [all]}").reviews.weekly == ("all",)
    assert over("tiers: {enterprise: {credits: none}}").tiers["enterprise"].credits is None
    assert "zone_failure" not in over("scenarios: {zone_failure: none}").scenarios
    assert (
        "disk_usage"
        not in over("alerts: {critical: {rules: {disk_usage: none}}}").alerts["critical"].rules
    )


def test_an_empty_file_changes_nothing() -> None:
    for text in ("", "# nothing\n", "{}", "---\n", "\ufeff"):
        assert over(text).digest == default().digest


def test_the_digest_tells_content_and_not_spelling() -> None:
    assert over("keys: {rotation: 2160h}").digest == default().digest
    assert over("limits: {request_bytes: 0.01GB}").digest == default().digest
    assert over("keys: {rotation: 89d}").digest != default().digest


def test_what_is_written_reads_back_as_the_same_playbook() -> None:
    again = msgspec.json.encode(plain(default()))
    assert parse(again, "written.json").digest == default().digest


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("900s", "15m"), ("1h30m", "90m"), ("3d", "72h"), ("90d", "90d"), ("14d", "2w"),
     ("1.5h", None), ("-1h", None), ("1h 30m", "90m"), ("5", None), ("", None), ("1y", None),
     ("١h", None)],
)  # fmt: skip
def test_durations_read_as_written_by_people(text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(ValueError):  # noqa: PT011 - a unit raises nothing finer
            units.DURATION.read(text)
    else:
        assert units.DURATION.write(units.DURATION.read(text)) == canonical


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=3650)))
def test_any_duration_survives_being_written(length: timedelta) -> None:
    assert units.DURATION.read(str(units.DURATION.write(length))) == length


@given(st.integers(0, 10**12))
def test_any_share_and_size_survive_being_written(n: int) -> None:
    share = Fraction(n, 10**12)
    assert units.SHARE.read(str(units.SHARE.write(share))) == share
    assert units.BYTES.read(str(units.BYTES.write(n))) == n


@pytest.mark.parametrize("text", ["Sundays 02:00-06:00 UTC", "Mondays 22:30-24:00 UTC"])
def test_any_window_survives_being_written(text: str) -> None:
    assert units.WINDOW.write(units.WINDOW.read(text)) == text


@pytest.mark.parametrize("text", ["1.0B", "0.5B", "1e3MB", "10 mb", "MB", "-1MB"])
def test_no_size_is_guessed(text: str) -> None:
    if text == "1.0B":
        assert units.BYTES.read(text) == 1
    else:
        with pytest.raises(ValueError):  # noqa: PT011 - a unit raises nothing finer
            units.BYTES.read(text)


def test_a_condition_is_reached_strictly_beyond_its_level() -> None:
    rule = default().alerts["critical"].rules["api_error_rate"]
    assert not rule.reached(Fraction("0.05"))
    assert rule.reached(Fraction("0.050001"))
    expiry = default().alerts["warning"].rules["certificate_expiry"]
    assert not expiry.reached(timedelta(days=30))
    assert expiry.reached(timedelta(days=29))


def test_the_document_computes_downtime_from_the_real_month() -> None:
    february = markdown(default(), Month(2024, 2))
    assert "| 3h 28m 48s | 1d 19h 49m 48s |" in february
    assert "| 43m 12s | 8h 45m 57.6s |" in markdown(default(), MONTH)
    assert "| 4m 27.84s | 52m 35.76s |" in markdown(default(), Month(2026, 12))
    assert "Downtime in a year (365d 6h)" in february


def test_the_document_has_every_section() -> None:
    heads = [line for line in markdown(default(), MONTH).splitlines() if line.startswith("## ")]
    assert [head.split()[1] for head in heads] == [f"{n}." for n in range(1, 11)]


def mutants(value: object, shape: Shape, key: str) -> Iterator[tuple[str, object]]:
    """Yield, for every scalar below, its key and the whole value with that scalar changed."""
    match value, shape:
        case None, _:
            return
        case _, Scalar():
            yield key, _other(value)
        case _, Choice(words):
            yield from ((key, word) for word in list(words)[:2] if word is not value)
        case tuple(), Row(item):
            for i, part in enumerate(value):
                for name, new in mutants(part, item, f"{key}.{i}"):
                    yield name, (*value[:i], new, *value[i + 1 :])
        case msgspec.Struct(), Record(_, fields, _):
            for field, inner in fields.items():
                for name, new in mutants(getattr(value, field), inner, f"{key}.{field}"):
                    yield name, msgspec.structs.replace(value, **{field: new})
        case Mapping(), Table(item):
            for field, part in value.items():
                for name, new in mutants(part, item, f"{key}.{field}"):
                    yield name, {**value, field: new}


def _other(value: object) -> object:  # noqa: PLR0911 - a table of types
    match value:
        case bool():
            return not value
        case str():
            return value + "x"
        case int() | Fraction():
            return value + (1 if value != 1 else 2)
        case timedelta():
            return value + timedelta(seconds=1)
        case date():
            return value + timedelta(days=1)
        case Money(amount):
            return Money(amount + 1)
        case Years(years):
            return Years(years + 1)
        case BusinessDays(days):
            return BusinessDays(days + 1)
        case BestEffort():
            return timedelta(hours=1)
        case WeeklyWindow():
            return WeeklyWindow(Weekday.MONDAY, value.opens, value.closes)
        case units.Condition():
            return units.Condition(units.Sense.BELOW, Fraction(1, 7))
    raise TypeError(value)


def test_the_document_leaves_no_key_out() -> None:
    book = default()
    plainly = markdown(book, MONTH)
    changed = list(mutants(book, record_of(Playbook), ""))
    unsaid = [key for key, mutant in changed if markdown(mutant, MONTH) == plainly]  # type: ignore[arg-type] # a Playbook again
    assert len(changed) > 300
    assert unsaid == []


def test_flat_keys_name_every_scalar() -> None:
    whole: Plain = plain(default())
    keys = [key for key, _ in flat(whole)]
    assert len(keys) == len(set(keys)) > 300


def test_what_is_promised_comes_from_the_months_playbook_and_all_else_from_todays() -> None:
    agreed, today = default(), over(OTHERWISE)
    mixed = promising(today, agreed)
    changes = {one.key: one.waits for one in differences(agreed, today)}
    assert sum(changes.values()) > 9 < len(changes) - sum(changes.values())
    kept = {one.key for one in differences(mixed, agreed)}
    assert kept == {key for key, waits in changes.items() if not waits}
    assert {one.key for one in differences(mixed, today)} == set(changes) - kept
    assert promising(today, today) is today


#: Something of each section that a month keeps, and something beside it that follows at once.
OTHERWISE = """
tiers:
  free: {uptime: 98%, requests_per_minute: 7}
  enterprise: {uptime: 80%, method: requests, fair_use: no, credits: none}
latency: {agent_crud: {p50: 10ms}}
kpis: {platform: {uptime: 97%, detect_within: 9m}}
maintenance: {notice: 24h, window: "Mondays 01:00-02:00 UTC", impact: some, how: all at once}
measurement:
  min_requests: 3
  error_threshold: 7%
  denominator: full
  year: 365d
  clock_difference: 2s
  sequenced_within: 2s
  corrected_within: 9d
  probe: {interval: 10s, run_wait: 9s}
  unknown_callers: {refusals_per_second: 11}
alerting: {rates_over: 10m}
"""
