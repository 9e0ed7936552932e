"""How full the machine is, and how often something had to be started again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ai_agent_mesh.plumbing.processes import (
    Restarts,
    begin_restarts,
    disk,
    memory,
    note_restart,
    read_restarts,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MEMINFO = "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     250 kB\n"


def container(folder: Path, limit: str) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text("800\n")
    (folder / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    return folder


def test_a_disk_is_never_fuller_than_it_is_large(tmp_path: Path) -> None:
    used, size = disk(tmp_path)
    assert 0 < used <= size


def test_memory_that_the_kernel_gives_back_is_not_in_use(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert memory(meminfo, tmp_path / "nowhere") == (750 * 1024, 1000 * 1024)


def test_a_containers_limit_comes_before_the_machines_memory(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(MEMINFO)
    assert memory(meminfo, container(tmp_path, "1000")) == (500, 1000)
    assert memory(meminfo, container(tmp_path, "max")) == (750 * 1024, 1000 * 1024)


def test_a_machine_that_tells_nothing_has_no_figure(tmp_path: Path) -> None:
    assert memory(tmp_path / "absent", tmp_path) is None
    (tmp_path / "odd").write_text("what is this\n")
    assert memory(tmp_path / "odd", tmp_path) is None


def test_restarts_are_counted_by_process_and_by_time(tmp_path: Path) -> None:
    file = tmp_path / "restarts.json"
    for minutes in (30, 5, 1):
        note_restart(file, "worker-1", NOW - timedelta(minutes=minutes))
    note_restart(file, "api", NOW)
    known = read_restarts(file)
    assert {name: one.count for name, one in known.items()} == {"worker-1": 3, "api": 1}
    assert known["worker-1"].since(NOW - timedelta(minutes=10)) == 2
    begin_restarts(file, ["api", "probe"])
    assert {name: one.count for name, one in read_restarts(file).items()} == {"api": 0, "probe": 0}


def test_old_moments_are_forgotten_and_the_count_is_not(tmp_path: Path) -> None:
    file = tmp_path / "restarts.json"
    for minute in range(60):
        note_restart(file, "api", NOW + timedelta(minutes=minute))
    one = read_restarts(file)["api"]
    assert (one.count, len(one.last)) == (60, 50)
    assert one.since(NOW + timedelta(minutes=59)) == 1


def test_a_file_that_cannot_be_read_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("{")
    assert read_restarts(tmp_path / "odd") == {}
    assert Restarts().since(NOW) == 0
