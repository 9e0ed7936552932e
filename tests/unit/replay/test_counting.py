"""Records become minutes exactly as calls of the ledger do, however they are written or cut up."""

import gzip
import json
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.replay.conftest import SEPTEMBER, Write, judged

from ai_agent_mesh.operations.replay import Answer, Asked, Form
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import (
    Category,
    Fault,
    Method,
    Service,
    bad,
    fault_of_status,
    timed,
    valid,
    within,
)

Call = dict[str, object]


def quick(examples: int) -> settings:
    """Return settings for a test that writes files of its own."""
    shared = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, deadline=None, suppress_health_check=shared)


FIELDS = ("at", "tenant", "service", "category", "status", "latency_ms", "fault")
STATUSES = (200, 204, 302, 404, 429, 500, 503)


def calls(seed: int, count: int) -> list[Call]:
    """Return calls of August's end and all of September, some on the edges."""
    dice = Random(seed)  # noqa: S311 - a test's
    first = SEPTEMBER.since - timedelta(hours=1)
    edges = [SEPTEMBER.since, SEPTEMBER.until, SEPTEMBER.until - timedelta(milliseconds=1)]
    return [
        {
            "at": dice.choice(edges) if dice.random() < 0.1
            else first + timedelta(milliseconds=dice.randrange(31 * 24 * 3_600_000)),
            "tenant": dice.choice(["acme", "globex", "probe"]),
            "service": dice.choice(list(Service)).value,
            "category": dice.choice(list(Category)).value,
            "status": dice.choice(STATUSES),
            "latency_ms": dice.choice([0, 4.999, 5, 99.999, 100, 250, 1_000.5]),
            "fault": dice.choice([None, None, None, *(fault.value for fault in Fault)]),
        }
        for _ in range(count)
    ]  # fmt: skip


def as_csv(rows: Sequence[Call]) -> str:
    lines = [",".join(FIELDS)]
    for one in rows:
        cells = {**one, "at": text(one["at"]), "fault": one["fault"] or ""}
        lines.append(",".join(str(cells[name]) for name in FIELDS))
    return "\n".join(lines) + "\n"


def text(at: object) -> str:
    assert isinstance(at, datetime)
    return at.astimezone(UTC).isoformat()


def as_ndjson(rows: Sequence[Call]) -> str:
    def plain(one: Call) -> Call:
        at = one["at"]
        assert isinstance(at, datetime)
        return {**one, "at": round(at.timestamp() * 1000), "note": [1]}

    return "".join(json.dumps(plain(one)) + "\n" for one in rows)


def figures(answer: Answer) -> Answer:
    """Return an answer without what names its files."""
    return replace(answer, records=replace(answer.records, files=(), columns_not_read=()))


def test_every_format_gives_the_same_answer(write: Write) -> None:
    rows = calls(1, 3_000)
    plain = write("calls.csv", as_csv(rows))
    dos = ("\ufeff" + as_csv(rows)).replace("\n", "\r\n")
    table = write("calls.parquet", b"")
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{plain}')) TO '{table}' (FORMAT parquet)")
    names = [
        write("dos.csv", dos),
        write("calls.ndjson", as_ndjson(rows)),
        write("calls.csv.gz", gzip.compress(as_csv(rows).encode())),
        write("odd[1]*?.ndjson.gz", gzip.compress(as_ndjson(rows).encode())),
        table,
    ]
    expected = figures(judged(plain))
    assert expected.records.rows == 3_000
    for name in names:
        assert figures(judged(name)) == expected, name


def test_counts_are_those_that_the_ledgers_rules_give(write: Write) -> None:
    rows, targets = calls(2, 3_000), default().latency
    counted: dict[tuple[object, object], list[int]] = defaultdict(lambda: [0] * 3)
    reached: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 2)
    for one in rows:
        at, status, latency = one["at"], one["status"], one["latency_ms"]
        assert isinstance(at, datetime)
        assert isinstance(status, int)
        assert isinstance(latency, int | float)
        if not SEPTEMBER.span.holds(at) or one["tenant"] == "globex":
            continue
        fault = Fault(str(one["fault"])) if one["fault"] else fault_of_status(status)
        row = counted[one["service"], one["category"]]
        for place, figure in enumerate((1, valid(fault), bad(fault))):
            row[place] += figure
        promised = targets.get(Category(str(one["category"])))
        for name in ("p50", "p95", "p99") if promised else ():
            limit = getattr(promised, name) // timedelta(microseconds=1)
            pair = reached[str(one["category"]), name]
            pair[0] += timed(fault)
            pair[1] += within(fault, round(latency * 1000), limit)
    answer = judged(write("calls.csv", as_csv(rows)), asked=Asked(SEPTEMBER.span, "acme"))
    assert {(c.service, c.category): [c.calls, c.valid, c.bad] for c in answer.calls} == counted
    assert {(x.category, x.percentile): [x.valid, x.within] for x in answer.latency} == reached
    assert answer.records.judged + sum(answer.ignored.values()) == len(rows)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 999), cut=st.integers(1, 299))
def test_splitting_a_file_changes_nothing(tmp_path: Path, seed: int, cut: int) -> None:
    rows = calls(seed, 300)
    parts = [("whole.csv", as_csv(rows)), ("one.csv", as_csv(rows[:cut])),
             ("two.ndjson", as_ndjson(rows[cut:]))]  # fmt: skip
    whole, one, two = [str(tmp_path / name) for name, _ in parts]
    for name, content in parts:
        (tmp_path / name).write_text(content)
    assert figures(judged(one, two)) == figures(judged(whole)) == figures(judged(two, one))


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 999))
def test_minutes_give_the_figures_of_their_records(tmp_path: Path, seed: int) -> None:
    rows = [one for one in calls(seed, 300) if one["tenant"] != "probe"]
    minutes: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0])
    for one in rows:
        at, status = one["at"], one["status"]
        assert isinstance(at, datetime)
        assert isinstance(status, int)
        fault = Fault(str(one["fault"])) if one["fault"] else fault_of_status(status)
        count = minutes[text(at.replace(second=0, microsecond=0)), one["service"]]
        count[0] += valid(fault)
        count[1] += bad(fault)
    lines = [f"{at},{service},{v},{b}" for (at, service), (v, b) in minutes.items()]
    counts = tmp_path / "minutes.csv"
    counts.write_text("\n".join(["at,service,valid,bad", *lines]))
    records = tmp_path / "calls.csv"
    records.write_text(as_csv(rows))
    straight, by_minute = judged(str(records)), judged(str(counts), form=Form.MINUTES)
    for name in ("minutes", "availability", "error_budget", "services", "unavailable"):
        assert getattr(straight, name) == getattr(by_minute, name)
    assert by_minute.latency == ()


@pytest.mark.parametrize("method", Method)
def test_a_total_outage_is_one_by_every_method(write: Write, method: Method) -> None:
    book = default()
    tier = replace(book.tiers["enterprise"], method=method)
    book = replace(book, tiers={**book.tiers, "enterprise": tier})
    minute = "2024-02-{:02d}T{:02d}:{:02d}:00Z,api,2,2"
    lines = [minute.format(d, h, m) for d in range(1, 30) for h in range(24) for m in range(60)]
    name = write("minutes.csv", "\n".join(["at,service,valid,bad", *lines]))
    month = type(SEPTEMBER)(2024, 2)  # a leap year's
    answer = judged(name, form=Form.MINUTES, month=month, playbook=book)
    assert (answer.availability, answer.credit_percent) == ("0%", "50")
    assert (answer.minutes.total, answer.error_budget.spent_minutes) == (41_760, "41760")


def test_the_exact_fraction_decides_the_credit(write: Write) -> None:
    # 43.2 of 43,200 minutes would be 99.9% to the digit; whole minutes fall to either side of it.
    def lost(minutes: int) -> Answer:
        lines = [f"2026-09-02T{m // 60:02d}:{m % 60:02d}:00Z,api,1,1" for m in range(minutes)]
        name = write("minutes.csv", "\n".join(["at,service,valid,bad", *lines]))
        return judged(name, form=Form.MINUTES)

    assert (lost(43).availability_fraction, lost(43).credit_percent) == ("43157/43200", "10")
    assert (lost(44).availability, lost(44).credit_percent) == ("99.898148148148%", "25")
    assert (lost(4).met, lost(4).credit_percent, lost(5).met) == (True, "0", False)


def test_records_come_through_a_pipe(write: Write, tmp_path: Path) -> None:
    rows = as_csv(calls(3, 500))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(rows,))
    writer.start()
    piped = judged(str(pipe))
    writer.join()
    assert figures(piped) == figures(judged(write("calls.csv", rows)))


def test_adding_a_good_call_never_lowers_availability(write: Write) -> None:
    rows = calls(4, 400)
    before = judged(write("before.csv", as_csv(rows))).availability_fraction
    good = {**rows[0], "status": 200, "fault": None}
    after = judged(write("after.csv", as_csv([*rows, good]))).availability_fraction
    assert before is not None
    assert after is not None
    assert Fraction(after) >= Fraction(before)
