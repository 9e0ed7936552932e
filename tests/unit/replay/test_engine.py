"""Large files are read within the memory that was given, and nothing but the answer is printed."""

from pathlib import Path

import pytest
from tests.unit.replay.conftest import Write, judged

from ai_agent_mesh.operations.replay import engine
from ai_agent_mesh.operations.replay.engine import Engine

HEAD = "at,tenant,service,category,status,latency_ms\n"
CALL = "2026-09-01T00:00:01Z,acme,api,agent_crud,200,12.5\n"
ROWS = 400_000


def test_the_rows_of_a_csv_need_not_fit_into_memory(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MEMORY", "50MB")
    monkeypatch.setattr(engine, "_MOST_THREADS", 1)
    assert judged(write("calls.csv", HEAD + CALL * ROWS)).records.judged == ROWS


def test_a_long_read_prints_nothing(
    write: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    name, shares = write("calls.csv", HEAD + CALL * ROWS), list[float]()
    one = Engine(tmp_path, shares.append)
    one.run("SET progress_bar_time = 1")
    one.run("SELECT sum(length(tenant)) FROM read_csv($name)", {"name": name})
    one.close()
    assert capfd.readouterr() == ("", "")
