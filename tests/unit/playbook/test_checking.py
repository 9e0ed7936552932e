# ruff: noqa: E501 - a table of cases reads better with a case a line
"""Every mistake of a playbook is told at once, with its place and what was expected."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.playbook import Playbook, PlaybookInvalid, default, load, parse
from ai_agent_mesh.playbook.reading import DEEPEST, LARGEST_BYTES


def mistakes(text: str | bytes) -> list[str]:
    """Return `line:column key: reason` of each mistake."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(PlaybookInvalid) as caught:
        parse(data, "mine.yaml")
    return [f"{f.place.removeprefix('mine.yaml:')}: {f.reason}" for f in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiers: {free: {uptime: 99.5}}", "1:24 tiers.free.uptime: is '99.5'; expected a percentage such as 99.9%"),
        ("tiers: {free: {uptime: 101%}}", "1:24 tiers.free.uptime: '101%' is more than 100%; expected a percentage such as 99.9%"),
        ("tiers:\n  free:\n    upttime: 99%", "3:5 tiers.free.upttime: is not a key; did you mean uptime?"),
        ("tiers:\n  gold: {}", "2:3 tiers.gold: is not a key; expected free, professional or enterprise"),
        ("tiers: {free: {requests_per_minute: }}", "1:37 tiers.free.requests_per_minute: is empty; expected a whole number above 0, or unlimited"),
        ("tiers: {free: {requests_per_minute: none}}", "1:37 tiers.free.requests_per_minute: is 'none'; expected a whole number above 0, or unlimited"),
        ("tiers: {free: {requests_per_minute: 0}}", "1:37 tiers.free.requests_per_minute: '0' is zero; expected a whole number above 0, or unlimited"),
        ("tiers: {free: {method: periods}}", "1:24 tiers.free.method: is 'periods'; expected period, intervals, all-fail or requests; did you mean period?"),
        ("latency: {agent_crud: {p95: 50ms}}", "1:29 latency.agent_crud.p95: is below p50; expected at least 100ms"),
        ("latency: {agent_crud: {p99: 200ms}}", "1:29 latency.agent_crud.p99: is below p95; expected at least 250ms"),
        ("cost: {shares: {other: 6%}}", "1:16 cost.shares: add up to 101%; expected 100%"),
        ("cost: {on_demand: {share: 20%}}", "1:27 cost.on_demand.share: and cost.reserved.share add up to 90%; expected 100%"),
        ("scaling: {pods: {down: cpu below 70% for 5m}}", "1:24 scaling.pods.down: is not under `up` (cpu above 70% for 2m); expected a lower level"),
        ("scaling: {pods: {max_replicas: 2}}", "1:32 scaling.pods.max_replicas: is below min_replicas; expected at least 3"),
        ("keys: {rotation: 90 days}", "1:18 keys.rotation: is '90 days'; expected a duration such as 150ms, 15m, 4h or 30d"),
        ("keys: {rotation: 999999999999999999w}", "1:18 keys.rotation: '999999999999999999w' is longer than time goes; expected a duration such as 150ms, 15m, 4h or 30d"),
        ("keys: {rotation: 0d}", "1:18 keys.rotation: '0d' is zero; expected a duration such as 150ms, 15m, 4h or 30d"),
        ("limits: {request_bytes: 10}", "1:25 limits.request_bytes: is '10'; expected a size such as 10MB or 1TB"),
        ("oncall: {pay: {stipend: 500}}", "1:25 oncall.pay.stipend: is '500'; expected an amount such as $500 or 500 CHF"),
        ("maintenance: {window: Sundays 2-6 AM UTC}", "1:23 maintenance.window: is 'Sundays 2-6 AM UTC'; expected a weekly window such as Sundays 02:00-06:00 UTC"),
        ("maintenance: {window: Sundays 02:00-02:00 UTC}", "1:23 maintenance.window: 'Sundays 02:00-02:00 UTC' closes no later than it opens; expected a weekly window such as Sundays 02:00-06:00 UTC"),
        ("maintenance: {window: Sundays 02:00-26:00 UTC}", "1:23 maintenance.window: 'Sundays 02:00-26:00 UTC' has no such time of day as 26:00; expected a weekly window such as Sundays 02:00-06:00 UTC"),
        ("alerts: {warning: {rules: {api_error_rate: above 6%}}}", "1:44 alerts.warning.rules.api_error_rate: comes no earlier than critical (above 5%); expected it to warn before"),
        ("alerts: {critical: {rules: {disk_usage: above 2s}}}", "1:41 alerts.critical.rules.disk_usage: is 'above 2s', the wrong unit; expected a percentage such as above 5%"),
        ("severities: {sev2: {respond_within: 5m}}", "1:37 severities.sev2.respond_within: is shorter than for sev1; expected at least 15m"),
        ("incidents: {lifecycle: [resolution, triage]}", "1:24 incidents.lifecycle: must name each stage once, and resolution after another"),
        ("incidents: {lifecycle: [triage, triage, resolution]}", "1:24 incidents.lifecycle: must name each stage once, and resolution after another"),
        ("measurement: {probe: {interval: 7s}}", "1:33 measurement.probe.interval: does not fit a minute; expected a duration such as 15s"),
        ("measurement: {services: [api]}", "1:25 measurement.services: must name each service once; expected api, orchestration, governance, telemetry"),
        ("measurement: {interval: 7m}", "1:25 measurement.interval: does not fit an hour; expected whole minutes such as 5m"),
        ("alerting: {rates_over: 90s}", "1:24 alerting.rates_over: is not whole minutes; expected such as 5m"),
        ("alerting: {burn: {short_window: 7}}", "alerting.burn.windows.0.within: has no 7 parts of whole minutes; expected such as 35m"),
        ("alerting: {burn: {windows: [{budget: 2%, within: 60d, urgency: critical}]}}", "alerting.burn.windows.0.within: is longer than a month; expected at most 28d"),
        ("alerting: {burn: {windows: [{budget: 0%, within: 1h, urgency: critical}]}}", "alerting.burn.windows.0.budget: is nothing; expected more than 0%"),
        ("tiers: 7", "1:8 tiers: is no mapping; expected named entries"),
        ("limits: []", "1:9 limits: is no mapping; expected request_bytes or rate_limited_by"),
        ("reviews: {weekly: incidents}", "1:19 reviews.weekly: is no list; expected [one, another]"),
        ("limits: {request_bytes: [1]}", "1:25 limits.request_bytes: is no single value; expected a size such as 10MB or 1TB"),
        ("contacts: {operations: nobody}", "1:24 contacts.operations: is 'nobody'; expected an e-mail address"),
        ("keys: {rotation: 1d, rotation: 2d}", "1:22 keys.rotation: stands twice, first on line 1; keep one"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_was_expected(text: str, said: str) -> None:
    assert any(told.endswith(said) for told in mistakes(text)), mistakes(text)


LADDER = "tiers: {enterprise: {credits: [%s]}}"
TOP = "{below: 99.99%, at_least: 99.9%, credit: 10%}"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (f"{TOP}, {{below: 99.8%, at_least: 0%, credit: 25%}}", "leaves a gap from 99.8% to 99.9%; expected below: 99.9%"),
        (f"{TOP}, {{below: 99.95%, at_least: 0%, credit: 25%}}", "overlaps the step above from 99.9% to 99.95%; expected below: 99.9%"),
        (TOP, "leaves a gap from 0% to 99.9%; expected at_least: 0%"),
        ("{below: 99.9%, at_least: 0%, credit: 10%}", "is not where uptime ends; expected 99.99%"),
        (f"{TOP}, {{below: 99.9%, at_least: 0%, credit: 5%}}", "pays no more than the step above; expected more than 10%"),
        ("{below: 99.9%, at_least: 99.99%, credit: 5%}", "is not under `below`; expected less than 99.9%"),
        ("", "has no steps; expected some, or none in place of the list"),
    ],
)  # fmt: skip
def test_a_ladder_with_a_gap_or_an_overlap_is_refused(steps: str, said: str) -> None:
    assert any(line.endswith(said) for line in mistakes(LADDER % steps))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
tiers:
  free: {uptime: lots}
  professional: {requests_per_minute: many}
latency:
  authentication: {p50: 3s}
cost: {shares: {compute: 44%}}
alerts: {critical: {rules: {latency_p99: above 1%, disk_use: above 3%}}}
keys: {rotation: soon}
"""
    told = mistakes(text)
    assert [line.split(":")[0] for line in told if line[0].isdigit()] == list("236778")
    assert any("latency.authentication.p95: is below p50" in line for line in told)


def test_a_law_is_checked_even_where_its_neighbour_is_unreadable() -> None:
    told = mistakes("latency: {agent_crud: {p50: x, p99: 1ms}}")
    assert len(told) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"tiers: {", "is not YAML"),
        (b"a: b: c", "is not YAML"),
        (b"tiers:\n\t- x", "is not YAML"),
        (b"tiers: \xff\xfe", "1:8: is not UTF-8"),
        ("tiers: {}".encode("utf-16"), "1:1: is not UTF-8"),
        (b"tiers: a\x00b", "1:9: holds the character U+0000, which no YAML file may hold"),
        (b"#" * (LARGEST_BYTES + 1), f"expected a playbook of at most {LARGEST_BYTES}"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, f"is nested deeper than {DEEPEST} levels"),
        (b"a: &x [1]\nb: [*x, *x]", "has the anchor &x; write values out, without aliases"),
        (b"a: *nowhere", "is an alias; write the value out"),
        (b"tiers: !!python/object:os.system x", "has the tag"),
        (b"--- {}\n--- {}", "starts a second document"),
        (b"[1, 2]", "is no mapping; expected keys with values"),
        (b"just words", "is no mapping; expected keys with values"),
        (b"? [a]\n: b", "is no key; expected a word"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_playbook_is_refused_and_harms_nothing(data: bytes, said: str) -> None:
    assert any(said in line for line in mistakes(data))


def test_an_alias_bomb_is_refused_without_being_opened() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert len(mistakes("\n".join(lines))) < 200


def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.yaml"):
        with pytest.raises(PlaybookInvalid) as caught:
            load(path)
        assert len(caught.value.faults) == 1


def outcome(data: bytes) -> Playbook | PlaybookInvalid:
    try:
        return parse(data, "any")
    except PlaybookInvalid as invalid:
        return invalid


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    end = outcome(data)
    assert end.faults if isinstance(end, PlaybookInvalid) else end.digest == default().digest


@given(st.text(st.sampled_from("tiersf:{}[]-,'\"\n &*!|>%?#0 "), max_size=200))
def test_no_yaml_breaks_the_reader(text: str) -> None:
    end = outcome(text.encode())
    assert not isinstance(end, PlaybookInvalid) or end.faults
