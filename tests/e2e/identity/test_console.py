"""The operator's commands: tenants, users and keys, each change in the ledger."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import Databases

from ai_agent_mesh.cli import main
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.plumbing.crypto import MasterKey
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import Authenticator, KeyRefused, key_hash
from ai_agent_mesh.product.ledger import Entry


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Mesh = Callable[..., Awaitable[Said]]


@pytest.fixture
def mesh(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mesh:
    """Return how to run `mesh` with words against a fresh database, in a thread of its own."""
    monkeypatch.setenv("DATABASE_URL", databases.url)
    monkeypatch.setenv("MESH_DATA", str(tmp_path))

    def run(*words: str) -> Said:
        monkeypatch.setattr("sys.argv", ["mesh", *words])
        out, err, code = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    async def in_thread(*words: str) -> Said:
        return await asyncio.to_thread(run, *words)

    return in_thread


async def acts(ledger: Database) -> list[Entry]:
    """Return every entry in the inbox, oldest first."""
    async with ledger.transaction() as tx:
        rows = await tx.fetch("SELECT bytes FROM ledger_inbox ORDER BY id")
    return [Entry.decode(row["bytes"]) for row in rows]


async def test_an_operator_makes_a_tenant_its_users_and_its_keys(
    mesh: Mesh, databases: Databases, tmp_path: Path
) -> None:
    said = await mesh("tenant", "create", "acme", "--tier", "free", "--fee", "10.50", "--json")
    assert said.code == 0, said.err
    made = json.loads(said.out)
    assert made["tenant"]["tier"] == "free"
    text = made["issued"]["text"]

    hasher = key_hash(MasterKey.load_or_create(tmp_path / "keys" / "master.key"))
    caller = await Authenticator(databases.app, hasher, SystemClock()).authenticate(
        f"Bearer {text}"
    )
    assert caller.tenant_id == made["tenant"]["id"]

    user = await mesh("user", "create", "dev@acme.example", "-t", "acme", "--name", "Dev", "--json")
    assert json.loads(user.out)["role"] == "viewer"
    changed = await mesh("user", "update", "dev@acme.example", "-t", "acme", "--role", "developer")
    assert changed.out == "dev@acme.example is developer\n"
    key = await mesh("key", "create", "-t", "acme", "--user", "dev@acme.example")
    assert key.out.startswith("mesh_")
    assert len(key.out.splitlines()) == 1
    listed = json.loads((await mesh("key", "list", "-t", "acme", "--json")).out)["items"]
    assert [item["state"] for item in listed] == ["live", "live"]
    assert key.out.strip() not in (await mesh("key", "list", "-t", "acme")).out
    assert (await mesh("key", "revoke", listed[1]["id"], "-t", "acme")).code == 0
    with pytest.raises(KeyRefused):
        await Authenticator(databases.app, hasher, SystemClock()).authenticate(
            f"Bearer {key.out.strip()}"
        )
    assert (await mesh("user", "remove", "dev@acme.example", "-t", "acme")).code == 0
    assert (await mesh("tenant", "update", "acme", "--tier", "enterprise")).code == 0
    shown = json.loads((await mesh("tenant", "show", "acme", "--json")).out)
    assert [terms["tier"] for terms in shown["terms"]] == ["free", "enterprise"]
    names = [t["name"] for t in json.loads((await mesh("tenant", "list", "--json")).out)["items"]]
    assert names == ["platform", "probe", "acme"]

    entries = await acts(databases.ledger)
    assert [entry.detail["act"] for entry in entries] == [
        "tenant.create",
        "user.create",
        "user.update",
        "key.create",
        "key.revoke",
        "user.remove",
        "tenant.update",
    ]
    assert all(entry.object and entry.actor and entry.kind == "act" for entry in entries)
    assert not any(text in str(entry) for entry in entries)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("tenant", "create", "acme", "--tier", "gold"), 1),
        (("tenant", "create", "tnt_x"), 1),
        (("tenant", "create", "probe"), 1),
        (("tenant", "create", "acme", "--fee", "much"), 2),
        (("tenant", "create", "acme", "--fee", "NaN"), 1),
        (("tenant", "show", "nobody"), 1),
        (("tenant", "update", "probe", "--tier", "free"), 1),
        (("user", "create", "nobody", "-t", "platform", "--name", "N", "--role", "king"), 1),
        (("user", "list", "-t", "nobody"), 1),
        (("user", "remove", "x@y", "-t", "platform"), 1),
        (("key", "create", "-t", "platform"), 2),
        (("key", "create", "-t", "platform", "--service", "ci", "--role", "king"), 1),
        (("key", "create", "-t", "platform", "--user", "nobody"), 1),
        (("key", "revoke", "key_x", "-t", "platform"), 1),
    ],
)
async def test_a_mistake_is_one_line_and_changes_nothing(
    mesh: Mesh, databases: Databases, words: tuple[str, ...], code: int
) -> None:
    said = await mesh(*words)
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err
    if code == 1:
        assert len(said.err.splitlines()) == 1, said.err
    assert await acts(databases.ledger) == []
