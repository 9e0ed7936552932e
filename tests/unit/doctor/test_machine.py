"""What the doctor finds wrong with a machine, and the mend it names."""

from pathlib import Path

from ai_agent_mesh.cli.doctor import machine
from ai_agent_mesh.cli.doctor.finding import State
from ai_agent_mesh.settings import Settings


def test_a_key_file_that_others_may_read_fails_and_the_mend_closes_it(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    settings.master_key.parent.mkdir()
    for path in (settings.master_key, settings.ledger_key):
        path.write_bytes(b"secret")
        path.chmod(0o600)
    settings.master_key.chmod(0o640)
    master, ledger = machine.keys(settings)
    assert (master.state, master.mend) == (State.FAIL, f"chmod 600 {settings.master_key}")
    assert ledger.state is State.PASS


def test_a_missing_data_folder_is_only_a_warning(tmp_path: Path) -> None:
    assert machine.folder(Settings(data=tmp_path / "none")).state is State.WARN
    assert machine.folder(Settings(data=tmp_path)).state is State.PASS


def test_a_playbook_with_mistakes_fails(tmp_path: Path) -> None:
    mistaken = tmp_path / "playbook.yaml"
    mistaken.write_text("no_such_key: 1\n")
    assert machine.rules(Settings(data=tmp_path, playbook=mistaken)).state is State.FAIL
    assert machine.rules(Settings(data=tmp_path)).state is State.PASS


def test_postgresql_programs_are_not_missed_where_a_database_is_named(tmp_path: Path) -> None:
    named = Settings(data=tmp_path, database_url="postgresql://elsewhere/mesh")
    assert machine.programs(named).found.startswith("not needed")
    assert machine.programs(Settings(data=tmp_path)).state is State.PASS


async def test_a_redis_that_does_not_answer_is_a_warning(tmp_path: Path) -> None:
    finding = await machine.redis(Settings(data=tmp_path, redis_url="redis://127.0.0.1:1/0"))
    assert finding is not None
    assert finding.state is State.WARN
    assert await machine.redis(Settings(data=tmp_path)) is None
