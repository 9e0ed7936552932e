"""What is wrong with a file is said once, with the row and the field, as its owner sees them."""

import gzip
import json
import os
import re

import duckdb
import pytest
from tests.unit.replay.conftest import Write, judged

from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.operations.replay import Form, Format

HEAD = "at,tenant,service,category,status,latency_ms,fault\n"
GOOD = "2026-09-01T00:00:01Z,acme,api,agent_crud,200,12.5,\n"
FIELDS = HEAD.strip().split(",")
OBJECT = dict(zip(FIELDS, GOOD.strip().split(","), strict=True))


def row(field: str, value: str) -> str:
    """Return a good line with one field changed."""
    return ",".join(value if name == field else OBJECT[name] for name in FIELDS) + "\n"


WRONG = [
    ("at", "2026-09-01T00:00:01", "without a zone"),
    ("at", "2026-09-01", "without a zone"),
    ("at", "2026-09-31T00:00:00Z", "RFC 3339"),
    ("at", "2026-09-01T00:00:60Z", "RFC 3339"),
    ("at", "1788220800", "milliseconds"),  # seconds
    ("at", "1788220800000000", "milliseconds"),  # microseconds
    ("at", "", "is empty"),
    ("tenant", "", "is empty"),
    ("service", "apis", "known: api,"),
    ("category", "x", "known: authentication,"),
    ("status", "42", "100 to 599"),
    ("status", "2e2", "100 to 599"),
    ("status", "", "is empty"),
    ("latency_ms", "-3", "not negative"),
    ("latency_ms", "nan", "finite"),
    ("latency_ms", "inf", "finite"),
    ("latency_ms", "1_5", "finite"),
    ("latency_ms", "", "is empty"),
    ("fault", "ours", "known: none, client"),
]


@pytest.mark.parametrize(("field", "value", "reason"), WRONG)
def test_a_wrong_field_is_named_with_its_line(
    write: Write, field: str, value: str, reason: str
) -> None:
    name = write("calls.csv", HEAD + GOOD + GOOD + row(field, value) + GOOD)
    with pytest.raises(Invalid, match=rf"calls\.csv, line 4: {field} .*{re.escape(reason)}"):
        judged(name)


def test_lines_are_counted_as_an_editor_counts_them(write: Write) -> None:
    name = write("calls.csv", HEAD + row("tenant", '"two\nlines"') + "\n" + row("status", "42"))
    with pytest.raises(Invalid, match="line 5: status"):
        judged(name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("at,tenant,service,category,latency_ms\n", "line 1: column status is missing"),
        ("at,at,tenant,service,category,status,latency_ms\n", "line 1: column at .*twice"),
        (HEAD, "there is no row"),
        (HEAD + GOOD + "2026-09-01T00:00:01Z,acme\n", "line 3: .*Columns: 7 Found: 2"),
        (HEAD + GOOD + row("fault", "none,none"), "line 3: .*Columns: 7 Found: 8"),
        (HEAD + row("tenant", '"open'), "line 2: .*unterminated quote"),
        (HEAD.encode() + row("tenant", "M\u00fcller").encode("latin-1"), "line 2: .*unicode"),
        (HEAD.encode() + b"\0\1\xff" * 999, "is not usable as csv|line 2"),
        (b"\0\1\xfe" * 999, "is not CSV"),
        (b"\x28\xb5\x2f\xfd packed some other way", "is not CSV, nor anything else known here"),
        (json.dumps([OBJECT]), "line 1: is not a JSON object: Expected `object`, got `array`"),
        (json.dumps([OBJECT], indent=1), "line 1: is not a JSON object"),
        (json.dumps(OBJECT).encode().replace(b"acme", b"ac\xe9me"), "line 1: is not .*(?i:utf-8)"),
        (HEAD + row("at", "2026-08-31T23:59:59Z") + row("at", "2026-10-01T00:00:00Z"),
         "2 outside the judged span"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_answer_is_refused(
    write: Write, content: str | bytes, reason: str
) -> None:
    with pytest.raises(Invalid, match=rf"calls\.csv.*{reason}"):
        judged(write("calls.csv", content))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (json.dumps({**OBJECT, "latency_ms": "fast"}), "line 3: latency_ms is 'fast'"),
        (
            json.dumps({k: v for k, v in OBJECT.items() if k != "status"}),
            "line 3: status is missing",
        ),
        (json.dumps({**OBJECT, "status": None}), "line 3: status is empty"),
        (json.dumps({**OBJECT, "status": {"code": 200}}), "line 3: status"),
        (json.dumps({**OBJECT, "at": 1.5}), "line 3: at"),
        (json.dumps(OBJECT)[:-1] + ', "status": 503}', "line 3: .* its key status .* twice"),
        ("[1]", "line 3: is not a JSON object"),
        (json.dumps(OBJECT)[:-9], "line 3: is not a JSON object"),
    ],
)
def test_a_wrong_object_is_named_with_its_line(write: Write, line: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        judged(write("calls.ndjson", f"{json.dumps(OBJECT)}\n\n{line}\n"))


def parquet(write: Write, columns: str, rows: int = 3) -> str:
    """Write a Parquet file of one call many times, with some columns changed."""
    name = write("calls.parquet", b"")
    good = "'acme' AS tenant, 'api' AS service, 'other' AS category, 200 AS status"
    sql = f"SELECT 1788220800000 + i AS at, {good}, 1.5 AS latency_ms FROM range({rows}) AS r(i)"
    replaced = f"SELECT * REPLACE ({columns}) FROM ({sql})" if columns else sql
    duckdb.sql(f"COPY ({replaced}) TO '{name}' (FORMAT parquet)")
    return name


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("TIMESTAMP '2026-09-01 00:00:00' AS \"at\"", "row 1: at .*without a zone"),
        ("DATE '2026-09-01' AS \"at\"", "row 1: at .*without a zone"),
        ("CASE WHEN \"at\" % 10 = 2 THEN 'NaN'::DOUBLE ELSE 1 END AS latency_ms", "row 3: lat"),
        ("CASE WHEN \"at\" % 10 = 1 THEN -1 ELSE 1 END AS latency_ms", "row 2: latency_ms"),
        ("CASE WHEN \"at\" % 10 < 2 THEN 200.0::DOUBLE END AS status", "row 3: status is empty"),
        ("true AS status", "row 1: status"),
    ],
)  # fmt: skip
def test_a_wrong_value_in_parquet_is_named_with_its_row(
    write: Write, columns: str, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        judged(parquet(write, columns))


def test_a_truncated_or_garbled_parquet_file_is_said_to_be_one(write: Write) -> None:
    with open(parquet(write, "", 100_000), "rb") as file:  # noqa: PTH123 - a test
        whole = file.read()
    for broken in (whole[: len(whole) // 2], whole[:100] + os.urandom(2_000) + whole[2_100:]):
        with pytest.raises(Invalid, match="is not usable as parquet"):
            judged(write("broken.parquet", broken))


def test_the_first_wrong_row_of_a_large_file_is_the_one_named(write: Write) -> None:
    bad = row("status", "42") + row("latency_ms", "-1")
    name = write("calls.csv", HEAD + GOOD * 60_000 + bad + GOOD * 60_000 + bad)
    with pytest.raises(Invalid, match="line 60002: status"):
        judged(name)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-09-01T00:00:00Z,api,10,11", "bad is '11'"),
        ("2026-09-01T00:00:00Z,api,-1,0", "valid is '-1'"),
        ("2026-09-01T00:00:00Z,api,1.5,0", "valid is '1.5'"),
        ("2026-09-01T00:00:00,api,1,0", "at .*without a zone"),
        ("2026-09-01T00:00:00Z,web,1,0", "service is 'web'"),
    ],
)
def test_a_wrong_minute_is_named_with_its_line(write: Write, line: str, reason: str) -> None:
    name = write("minutes.csv", f"at,service,valid,bad\n{line}\n")
    with pytest.raises(Invalid, match=f"minutes.csv, line 2: {reason}"):
        judged(name, form=Form.MINUTES)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2026-08-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T01:00:00Z,,", "ends_at must be"),
        ("2026-08-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T02:00:00Z,,", "ends_at must be"),
        ("2026-08-01,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,", "announced_at .*without a zone"),
        (",2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,", "announced_at is empty"),
        ("2026-08-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,web,", "service is 'web'"),
        ("2026-08-01T00:00:00Z,2026-09-06T02:00:00Z,2026-09-06T03:00:00Z,,2026-07-01T00:00:00Z",
         "cancelled_at must not be before announced_at"),
    ],
)  # fmt: skip
def test_a_wrong_announcement_is_named_with_its_line(write: Write, line: str, reason: str) -> None:
    works = write("works.csv", f"announced_at,starts_at,ends_at,service,cancelled_at\n{line}\n")
    with pytest.raises(Invalid, match=f"works.csv, line 2: {reason}"):
        judged(write("calls.csv", HEAD + GOOD), maintenance=works)


def test_a_line_that_is_no_log_line_is_named(write: Write) -> None:
    name = write("access.log", '10.0.0.1 - - [01/Sep/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1\n')
    with pytest.raises(Invalid, match=r"access\.log, line 1: line is not in nginx's"):
        judged(name, how=Format.NGINX)


def test_a_logs_number_that_is_no_status_is_named(write: Write) -> None:
    line = '::1 - - [01/Sep/2026:00:00:00 +0000] "GET / HTTP/1.1" {} 1 "-" "-" 0.1\n'
    name = write("access.log", line.format(200) + line.format(999))
    with pytest.raises(Invalid, match=r"access\.log, line 2: status is '999'; must be an HTTP"):
        judged(name, how=Format.NGINX)


def test_a_packed_file_that_is_cut_short_is_refused(write: Write) -> None:
    packed = gzip.compress((HEAD + GOOD * 50_000).encode())
    with pytest.raises(Invalid, match=r"GZIP|gzip|cannot be read"):
        judged(write("calls.csv.gz", packed[:-100]))


def test_every_objects_keys_are_told_and_not_the_firsts_alone(write: Write) -> None:
    misspelt = {**{k: v for k, v in OBJECT.items() if k != "fault"}, "fautl": "client"}
    lines = [OBJECT, misspelt, {**OBJECT, "note": {"deep": 1}}]
    name = write("calls.ndjson", "".join(json.dumps(one) + "\n" for one in lines))
    assert judged(name).records.columns_not_read == ("fautl", "note")


def test_decimals_without_a_fraction_are_whole_numbers(write: Write) -> None:
    assert judged(parquet(write, "200::DECIMAL(9, 2) AS status")).availability == "100%"
    with pytest.raises(Invalid, match=r"row 1: status is '200\.50'"):
        judged(parquet(write, "200.5::DECIMAL(9, 2) AS status"))


def test_counts_too_large_to_add_up_are_refused_by_their_line(write: Write) -> None:
    line = f"2026-09-01T00:00:00Z,api,{10**12},0\n"
    name = write("minutes.csv", "at,service,valid,bad\n" + line * 12)
    with pytest.raises(Invalid, match=r"line 2: valid is '1000000000000'; .* to 999999999999"):
        judged(name, form=Form.MINUTES)


def test_a_log_without_its_format_is_told_what_it_needs(write: Write) -> None:
    line = '127.0.0.1 - - [01/Sep/2026:00:00:01 +0000] "GET / HTTP/1.1" 200 1 "-" "-" 0.1\n'
    with pytest.raises(Invalid, match="--format nginx or envoy"):
        judged(write("access.log", line))


def test_nothing_announced_is_nothing_however_it_is_given(write: Write) -> None:
    name = write("calls.csv", HEAD + GOOD)
    for empty in (write("none.csv", ""), os.devnull):
        assert judged(name, maintenance=empty).maintenance == ()
