"""Whose records are judged, what silence and maintenance mean offline, and what logs say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.replay.conftest import SEPTEMBER, Write, judged

from ai_agent_mesh.cli.offline import FormatChoice, MethodChoice
from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.replay import (
    Asked,
    Files,
    Form,
    Format,
    Replay,
    as_lines,
    read_paths,
)
from ai_agent_mesh.operations.statements import Evidence
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Method, Service

LOGS = Path(__file__).parent / "logs"
HEAD = "at,tenant,service,category,status,latency_ms"
MINUTES = "at,service,valid,bad"
WORKS = "announced_at,starts_at,ends_at,service,cancelled_at"


def call(at: str, tenant: str = "acme", status: int = 200, service: str = "api") -> str:
    return f"2026-09-{at}Z,{tenant},{service},agent_crud,{status},10"


def table(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def test_a_tenant_is_judged_by_its_own_records_and_the_probes(write: Write) -> None:
    name = write("calls.csv", table(HEAD, call("02T00:00:00"), call("03T00:00:00", "globex", 503)))
    acme = judged(name, asked=Asked(SEPTEMBER.span, "acme"))
    assert (acme.availability, dict(acme.ignored)) == ("100%", {"of another tenant": 1})
    everybody = judged(name)
    assert (everybody.minutes.unavailable, everybody.records.tenants_pooled) == (1, True)


def test_a_tenant_without_a_record_is_not_judged(write: Write) -> None:
    name = write("calls.csv", table(HEAD, call("02T00:00:00")))
    with pytest.raises(Invalid, match=r"of nobody is in .*1 of another tenant"):
        judged(name, asked=Asked(SEPTEMBER.span, "nobody"))


def test_an_empty_minute_is_available_until_a_probe_speaks(write: Write) -> None:
    quiet = table(HEAD, call("02T00:00:00"), call("30T23:59:59"))
    assert judged(write("calls.csv", quiet)).availability == "100%"
    probed = table(HEAD, call("30T23:50:00", "probe"), call("30T23:52:00", "probe"))
    answer = judged(write("probed.csv", probed), asked=Asked(SEPTEMBER.span, "acme"))
    assert answer.minutes.unavailable == 8  # 23:51, and 23:53 to the month's end
    assert {span.causes for span in answer.unavailable} == {("silence",)}


def test_a_watch_may_begin_in_an_earlier_month(write: Write) -> None:
    august = "2026-08-31T23:00:00Z,probe,api,agent_crud,200,10"
    name = write("calls.csv", table(HEAD, august, call("01T00:05:00", "probe")))
    span = Span(SEPTEMBER.since, datetime(2026, 9, 1, 0, 10, tzinfo=UTC))
    assert judged(name, asked=Asked(span)).minutes.unavailable == 9


def test_a_tenant_that_began_mid_month_is_judged_over_its_own_minutes(write: Write) -> None:
    name = write("calls.csv", table(HEAD, call("02T00:00:00", status=503), call("20T00:00:00")))
    span = Span(datetime(2026, 9, 16, tzinfo=UTC), SEPTEMBER.until)
    answer = judged(name, asked=Asked(span))
    assert (answer.minutes.total, answer.availability) == (15 * 1440, "100%")
    assert dict(answer.ignored) == {"outside the judged span": 1}


def outage(hour: int, minutes: int = 60) -> list[str]:
    """Return a whole outage of the api from an hour on, on Sunday the 6th of September."""
    return [f"2026-09-06T{hour:02d}:{m:02d}:00Z,api,9,9" for m in range(minutes)]


@pytest.mark.parametrize(
    ("works", "unavailable", "excluded"),
    [
        ([], 60, 0),
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,"], 0, 60),
        # 72 hours ahead is enough, a second less is not.
        (["2026-09-03T02:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,"], 0, 60),
        (["2026-09-03T02:00:01Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,"], 60, 0),
        # Only minutes wholly inside; what overruns is judged.
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:01Z,2026-09-06T02:30:59Z,,"], 31, 29),
        # A cancelled one excludes nothing, even when it was cancelled while it ran.
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,2026-09-02T00:00:00Z"],
         60, 0),
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,2026-09-06T02:30:00Z"],
         60, 0),
        # Overlapping ones are their union.
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T02:40:00Z,,",
          "2026-09-02T00:00:00Z,2026-09-06T02:20:00Z,2026-09-06T03:00:00Z,,"], 0, 60),
        # One that names a service excludes it alone: the platform's minute still counts.
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,api,"], 0, 0),
        (["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,telemetry,"], 60, 0),
    ],
)  # fmt: skip
def test_what_maintenance_takes_out(
    write: Write, works: list[str], unavailable: int, excluded: int
) -> None:
    answer = judged(
        write("minutes.csv", table(MINUTES, *outage(2))),
        form=Form.MINUTES,
        maintenance=write("works.csv", table(WORKS, *works)),
    )
    assert (answer.minutes.unavailable, answer.minutes.excluded) == (unavailable, excluded)
    assert len(answer.maintenance) == len(works)


def test_maintenance_outside_the_usual_window_is_flagged(write: Write) -> None:
    works = ["2026-09-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,",
             "2026-09-01T00:00:00Z,2026-09-07T02:00:00Z,2026-09-07T03:00:00Z,,"]  # fmt: skip
    answer = judged(
        write("minutes.csv", table(MINUTES, *outage(2))),
        form=Form.MINUTES,
        maintenance=write("works.csv", table(WORKS, *works)),
    )
    assert [work.outside_window for work in answer.maintenance] == [False, True]
    assert "outside the usual window" in as_lines(answer)


def counted(name: str, how: Format, paths: str | None = None) -> tuple[Evidence, dict[str, int]]:
    table = read_paths(Path(paths)) if paths else ()
    files = Files((str(LOGS / name),), Form.RECORDS, how, table)
    with Replay(files, Asked(Month(2026, 11).span), default()) as replay:
        return replay.evidence(), dict(replay.reading().ignored)


@pytest.mark.parametrize("name", ["nginx.log", "nginx-upstream.log"])
def test_nginx_logs_are_read_as_nginx_writes_them(name: str) -> None:
    evidence, _ = counted(name, Format.NGINX)
    (calls,) = evidence.calls
    # 404, 400 and 499 are the callers'; only the 502 is ours.
    assert (calls.service, calls.calls, calls.valid, calls.bad) == (Service.API, 11, 8, 1)
    assert {one.minute * 60 for one in evidence.minutes} == {
        int(datetime(2026, 11, 26, 4, 18, tzinfo=UTC).timestamp())
    }


def test_envoys_logs_are_read_as_envoy_writes_them(write: Write) -> None:
    paths = write(
        "paths.yaml",
        "- {path: '/v1/workflows/*/runs', service: orchestration, category: workflow_execution}\n"
        "- {path: /v1/policies, service: governance, category: policy_evaluation}\n"
        "- {path: /v1/agents, category: agent_crud}\n",
    )
    evidence, _ = counted("envoy.log", Format.ENVOY, paths)
    found = {(c.service.value, c.category.value): c for c in evidence.calls}
    runs = found["orchestration", "workflow_execution"]
    # The caller who left after 50 ms got no answer, and is not held against us.
    assert (runs.calls, runs.valid, runs.within_p50, runs.within_p95) == (2, 1, 0, 1)
    agents = found["api", "agent_crud"]
    assert (agents.calls, agents.valid, agents.within_p50) == (2, 2, 2)
    assert found["governance", "policy_evaluation"].valid == 1
    rest = found["api", "other"]
    assert (rest.calls, rest.valid, rest.bad) == (6, 2, 2)


@pytest.mark.parametrize(
    ("how", "sums"),
    # Of nginx's 17 eight were 4xx or no request; 000 to a request and 009 are ours.
    # Of Envoy's 17 two were 4xx, three of code 0 are DC, DR and DPE; "0 -", 503 and 504 are ours.
    [(Format.NGINX, (17, 9, 2)), (Format.ENVOY, (17, 12, 3))],
)
def test_no_callers_odd_bytes_make_a_log_unreadable(how: Format, sums: tuple[int, ...]) -> None:
    evidence, ignored = counted(f"{how}-odd.log", how)
    (calls,) = evidence.calls
    assert ((calls.calls, calls.valid, calls.bad), ignored) == (sums, {})


def test_a_path_table_may_name_paths_beyond_ascii(write: Write) -> None:
    paths = write("paths.yaml", "- {path: /é, service: telemetry, category: telemetry_query}\n")
    evidence, _ = counted("envoy-odd.log", Format.ENVOY, paths)
    assert [one.calls for one in evidence.calls if one.service is Service.TELEMETRY] == [1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("- {path: v1}", "row 1: path must start"),
        ("- {path: /v1}\n- {path: /v2, service: web}", "row 2: service is web"),
        ("- {path: /v1, kategory: other}", "row 1: kategory is not known"),
        ("path: /v1", "must be a list"),
        ("[", "cannot be read"),
    ],
)
def test_a_wrong_path_table_is_refused(write: Write, content: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_paths(Path(write("paths.yaml", content)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("path,service,category\n/v1,api\n", "row 1: category is empty"),
        ("path,service,category\n/v1,api,other,more\n", "row 1: it has more cells"),
    ],
)
def test_a_ragged_path_table_is_refused(write: Write, content: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_paths(Path(write("paths.csv", content)))


@pytest.mark.parametrize(
    ("bad", "left"), [(0, "100% left"), (1, "76.851% left"), (4, "7.407% left"), (5, "overspent")]
)
def test_what_is_left_is_cut_off_and_never_better_than_it_is(
    write: Write, bad: int, left: str
) -> None:
    rows = [f"2026-09-06T02:{m:02d}:00Z,api,9,9" for m in range(bad)]
    name = write("minutes.csv", table(MINUTES, "2026-09-30T23:59:00Z,api,1,0", *rows))
    assert f"minutes spent, {left}\n" in as_lines(judged(name, form=Form.MINUTES))


def test_records_that_end_before_the_span_are_told_with_what_follows_them(write: Write) -> None:
    name = write("calls.csv", table(HEAD, call("02T10:00:00"), call("20T11:59:59")))
    answer, text = judged(name), as_lines(judged(name))
    assert (answer.records.first, answer.records.last) == (
        datetime(2026, 9, 2, 10, 0, tzinfo=UTC), datetime(2026, 9, 20, 11, 59, tzinfo=UTC),
    )  # fmt: skip
    assert "first 2026-09-02 10:00 UTC, last 2026-09-20 11:59 UTC" in text
    # 12 hours of the 20th and ten whole days are to come.
    assert answer.records.note
    assert answer.records.note.startswith("The last 15120 minutes of the span, after 2026-09-20")
    assert "count as available" in answer.records.note
    assert "--until ends the span" in " ".join(text.split())
    until = Span(SEPTEMBER.since, datetime(2026, 9, 20, 12, tzinfo=UTC))
    assert judged(name, asked=Asked(until)).records.note is None


def test_after_the_last_record_a_watched_service_is_unavailable_and_that_is_said(
    write: Write,
) -> None:
    name = write("calls.csv", table(HEAD, call("30T20:00:00", "probe")))
    note = judged(name).records.note
    assert note
    assert "for api, which the probe watches, as unavailable" in note


def test_the_commands_choices_are_all_there_are() -> None:
    assert [one.value for one in FormatChoice] == list(Format)
    assert [one.value for one in MethodChoice] == [*Method, "all"]


def test_tenants_that_are_kept_apart_are_named_and_the_probe_is_none_of_them(write: Write) -> None:
    def names(content: str, how: Format | None = None) -> list[str]:
        files = Files((write("calls", content),), Form.RECORDS, how)
        asked = Asked(SEPTEMBER.span, apart=files.name_tenants)
        with Replay(files, asked, default()) as replay:
            return replay.tenants()

    probe = call("02T00:00:00", "probe")
    assert names(table(HEAD, call("02T00:00:00"), call("02T00:00:00", "globex"), probe)) == [
        "acme", "globex",
    ]  # fmt: skip
    with pytest.raises(Invalid, match="all rows are the probe's"):
        names(table(HEAD, probe))
    line = '127.0.0.1 - - [01/Sep/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1 "-" "-" 0.1'
    assert names(table(line), Format.NGINX) == [""]  # a log names nobody, and has nobody called "-"
