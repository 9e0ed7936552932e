"""The data of an older version are taken over: nothing of them is lost, changed or forgotten."""

import asyncio
import gzip
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.conftest import Server, named
from tests.e2e.crew import Crew, until
from tests.e2e.upgrade.record import ADDRESS

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.postgres import head_revision

#: What a statement says and later versions must say again; how it is laid out may change.
FIGURES = ("since", "until", "minutes", "availability", "availability_fraction", "error_budget",
           "services", "unavailable", "latency", "calls", "ledger")  # fmt: skip
RECORDED = sorted(each.parent for each in Path(__file__).parent.glob("*/said.json"))


@dataclass
class Service:
    """What the recorded agents and workflows call."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the path and the credential of each call, and answer it."""
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                names = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in head.split("\r\n"))
                }
                await reader.readexactly(int(names.get("content-length", 0)))
                self.calls.append((head.split()[1], names.get("authorization", "")))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                             b"content-length: 11\r\n\r\n" + b'{"ok":true}')  # fmt: skip
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@dataclass
class Taken:
    """An older version's data under the present code, at work."""

    said: dict[str, Any]  # parsed JSON
    crew: Crew
    api: str
    service: Service
    owner: str
    migrated: str

    async def ask(
        self, method: str, path: str, body: object = None, tenant: str = "default"
    ) -> Any:
        """Send a request with a key of the older version, and return its answer."""
        headers = {"Authorization": f"Bearer {self.said['keys'][tenant]}"}
        async with httpx.AsyncClient(base_url=self.api, headers=headers, timeout=30) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture(scope="module", params=RECORDED, ids=[each.name for each in RECORDED])
async def taken(
    request: pytest.FixtureRequest,
    postgres: Server,
    template: str,  # noqa: ARG001 - makes the roles that the data belong to
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Taken]:
    """Restore the older version's database and keys, migrate, and start an API and a worker."""
    recorded, folder = request.param, tmp_path_factory.mktemp("upgrade")
    said = json.loads((recorded / "said.json").read_text())
    service, name = Service(), f"mesh_old_{new_id('t')[-12:]}"
    owner, login = named(postgres.migrate, name), named(postgres.login, name)
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0)
    here = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    admin = await asyncpg.connect(named(postgres.migrate, "postgres"))
    await admin.execute(f'CREATE DATABASE "{name}"')
    try:
        restoring = await asyncpg.connect(owner)
        sql = gzip.decompress((recorded / "database.sql.gz").read_bytes()).decode()
        await restoring.execute(sql.replace(ADDRESS, here))
        await restoring.close()
        keys = folder / "data" / "keys"
        keys.mkdir(parents=True)
        for key in ("master.key", "ledger.key"):
            shutil.copyfile(recorded / key, keys / key)
            (keys / key).chmod(0o600)
        async with Crew.over(folder, login, owner) as crew:
            migrated = await crew.run("migrate")
            _, api = await crew.api()
            await crew.worker()
            yield Taken(said, crew, api, service, owner, migrated)
    finally:
        server.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


def test_the_schema_is_brought_up_to_date(taken: Taken) -> None:
    assert head_revision() in taken.migrated


async def test_every_receipt_that_was_given_still_holds_and_the_ledger_verifies(
    taken: Taken,
) -> None:
    async def numbered() -> bool:
        return not await value(taken, "SELECT count(*) FROM ledger_inbox")

    await until(numbered)
    assert json.loads(await taken.crew.run("ledger", "verify", "--json"))["sound"]
    kept = await value(
        taken,
        "SELECT array_agg(id || '; sha-256='"
        " || translate(rtrim(encode(digest, 'base64'), '='), '+/', '-_')) FROM ledger_entry",
    )
    assert taken.said["receipts"]
    assert not set(taken.said["receipts"]) - set(kept)


async def test_figures_that_were_stated_are_stated_again(taken: Taken) -> None:
    span = ("--since", taken.said["since"], "--until", taken.said["until"])
    verified = json.loads(await taken.crew.run("sla", "verify", *span, "--json"))
    stated = {one["tenant_name"]: one for one in verified["statements"]}
    for tenant, before in taken.said["statements"].items():
        figures = {name: before[name] for name in FIGURES}
        assert changed(figures, stated[tenant]) == []


async def test_what_was_counted_before_there_were_sums_of_it_is_in_them(taken: Taken) -> None:
    assert await value(taken, "SELECT count(*) > 0 FROM ledger_sketch")
    tables = ("ledger_sketch", "objective_sketch")
    asked = [f"SELECT category, bucket, sum(count) FROM {one} GROUP BY 1, 2" for one in tables]
    differing = f"SELECT count(*) FROM (({asked[0]}) EXCEPT ({asked[1]})) AS differing"
    assert await value(taken, differing) == 0


async def test_old_keys_open_the_door_and_old_credentials_the_agents(taken: Taken) -> None:
    for tenant in taken.said["keys"]:
        agents = await taken.ask("GET", "/v1/agents", tenant=tenant)
        assert [one["name"] for one in agents["items"]] == [f"{tenant}-clerk"]
        path = f"/v1/agents/{tenant}-clerk:invoke"
        answer = await taken.ask("POST", path, {"input": {"x": 1}}, tenant=tenant)
        assert answer["output"] == {"ok": True}
        assert ("/agent", f"Bearer secret of {tenant}") in taken.service.calls
        policies = await taken.ask("GET", "/v1/policies", tenant=tenant)
        assert "any-http" in {one["name"] for one in policies["items"]}


async def test_runs_in_the_middle_go_on_where_they_stood(taken: Taken) -> None:
    approvals = (await taken.ask("GET", "/v1/approvals"))["items"]
    (asked,) = [one for one in approvals if one["run_id"] == taken.said["runs"]["asking"]]
    await taken.ask("POST", f"/v1/approvals/{asked['id']}:approve")
    for name, run in taken.said["runs"].items():

        async def ended(run: str = run) -> Any:
            shown = await taken.ask("GET", f"/v1/runs/{run}")
            return shown if shown["state"] in {"completed", "faulted"} else None

        shown = await until(ended)
        assert (shown["state"], shown["output"]) == ("completed", {"ok": True}), (name, shown)
    paths = {path for path, _ in taken.service.calls}
    assert {"/approved", "/waited", "/slow"} <= paths
    assert "/first" not in paths  # it was done before


async def test_new_work_is_taken_on(taken: Taken) -> None:
    run = await taken.ask("POST", "/v1/workflows/quick/runs", {"input": {}})

    async def done() -> bool:
        return bool((await taken.ask("GET", f"/v1/runs/{run['id']}"))["state"] == "completed")

    await until(done)


async def value(taken: Taken, sql: str) -> Any:
    """Ask the database as its owner."""
    link = await asyncpg.connect(taken.owner)
    try:
        return await link.fetchval(sql)
    finally:
        await link.close()


def changed(before: Any, now: Any, place: str = "") -> list[str]:
    """Return the places of what was said before and is no longer so; what came newly is no change.

    Lists of another length are a change.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(key, each, now.get(key)) for key, each in before.items()]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(str(at), a, b) for at, (a, b) in enumerate(zip(before, now, strict=True))]
    else:
        return [] if before == now else [f"{place}: {before} is now {now}"]
    return [found for key, a, b in pairs for found in changed(a, b, f"{place}.{key}")]
