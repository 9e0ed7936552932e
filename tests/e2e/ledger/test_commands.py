"""`mesh ledger export` and `verify`: the way an operator and an outsider check the evidence."""

import asyncio
import base64
import json
import os
import sys
from pathlib import Path

import pytest
from tests.conftest import Databases
from tests.e2e.ledger.conftest import Recorded, Superuser
from tests.house import base_install

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Inbox, Sequencer


@pytest.fixture
async def data(databases: Databases, inbox: Inbox, call: Recorded, tmp_path: Path) -> Path:
    """Return a data folder whose key has signed five entries of two tenants."""
    folder = tmp_path / "data"
    (folder / "keys").mkdir(parents=True, mode=0o700)
    signer = Signer.load_or_create(folder / "keys" / "ledger.key")
    for tenant in ("platform", "probe", "platform", "probe", "platform"):
        await inbox.append(call(tenant))
    sequencer = Sequencer(databases.ledger, signer, default(), SystemClock(), batch=2)
    epoch = await sequencer.take_over()
    assert epoch is not None
    while await sequencer.number(epoch):
        pass
    return folder


async def mesh(databases: Databases, data: Path, *words: str) -> tuple[int, str, str]:
    """Run `mesh ledger` with these words; return its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ai_agent_mesh", "ledger", *words,
        env={**os.environ, "DATABASE_URL": databases.url, "MESH_DATA": str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def test_a_sound_ledger_is_verified_in_the_database(databases: Databases, data: Path) -> None:
    code, out, error = await mesh(databases, data, "verify", "--json")
    assert (code, error) == (0, "")
    report = json.loads(out)
    assert report["sound"] is True
    assert (report["entries"], report["batches"]) == (5, 3)
    assert report["tenants"] == {"platform": 3, "probe": 2}


async def test_what_is_wrong_is_one_line_and_exit_code_1(
    databases: Databases, data: Path, superuser: Superuser
) -> None:
    await superuser.execute("DELETE FROM ledger_entry WHERE seq = 4")
    code, out, error = await mesh(databases, data, "verify")
    assert code == 1
    assert "FAILED sequence at seq 4: the entry is missing" in out
    assert error.startswith("mesh: The ledger is not sound: ")
    assert error.count("\n") == 1


async def test_a_database_signed_by_somebody_else_does_not_pass(
    databases: Databases, data: Path
) -> None:
    other = data.parent / "elsewhere"
    code, out, _ = await mesh(databases, other, "verify", "--json")
    assert code == 1
    assert [one["check"] for one in json.loads(out)["failures"]] == ["signature"]


async def test_an_exported_folder_is_verified_without_a_database_or_a_server_installed(
    databases: Databases, data: Path
) -> None:
    folder = data.parent / "evidence"
    code, out, error = await mesh(databases, data, "export", "--out", str(folder), "--json")
    assert (code, error) == (0, "")
    file = folder / "ledger.ndjson"
    assert json.loads(out)["path"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    away = Databases("postgresql:///nowhere?host=/nowhere", "", *[databases.app] * 3)
    done = base_install.mesh(("ledger", "verify", str(folder), "--json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["entries"] == 5
    text = file.read_text().replace("agt_1", "agt_2", 1)
    file.write_text(text)
    code, out, error = await mesh(away, data, "verify", str(file))
    assert code == 1
    assert "FAILED bytes at seq 1" in out


async def test_one_tenant_s_export_goes_through_a_pipe_and_holds_for_our_key_alone(
    databases: Databases, data: Path, signer: Signer
) -> None:
    file = data.parent / "probe.ndjson"
    code, out, error = await mesh(databases, data, "export", "--out", "-", "--tenant", "probe")
    assert (code, error) == (0, "")
    assert not [line for line in out.splitlines() if '\\"tenant\\":\\"platform\\"' in line]
    file.write_text(out)
    ours = Signer.load_or_create(data / "keys" / "ledger.key").public_bytes
    key = base64.b64encode(ours).decode()
    code, out, _ = await mesh(databases, data, "verify", str(file), "--key", key, "--json")
    assert code == 0
    assert json.loads(out)["tenants"] == {"probe": 2}
    stranger = base64.b64encode(signer.public_bytes).decode()
    code, _, error = await mesh(databases, data, "verify", str(file), "--key", stranger)
    assert code == 1
    assert "is not trusted" in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "/nowhere"), "There is no ledger export at /nowhere"),
        (("verify", "--key", "short"), "neither 32 bytes of base64"),
        (("export", "--out", "-", "--since", "yesterday"), "--since must be a day, or a moment"),
        (("export", "--out", "-", "--tenant", "nobody"), "nobody"),
    ],
)
async def test_a_mistake_is_explained_in_a_line(
    databases: Databases, data: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, error = await mesh(databases, data, *words)
    assert (code, out) == (1, "")
    assert said in error.splitlines()[0]
