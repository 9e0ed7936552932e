"""Records the data of the present version, for later ones to take over.

`python -m tests.e2e.upgrade.record` starts this version as a person would, gives it customers,
agents, policies and runs in the middle of their work, and writes beside this file a folder named
for the schema's revision: the database as SQL, the two key files, and what was true of them. Record
a version before its first migration after a release lands; never alter a recorded folder. Its keys
are for these tests alone.
"""

import asyncio
import gzip
import json
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from tempfile import mkdtemp
from typing import Any

import httpx
from tests.e2e.up.conftest import Up, mesh, start, surroundings

from ai_agent_mesh.plumbing.postgres import head_revision
from ai_agent_mesh.plumbing.postgres.embedded import Urls, find_running
from ai_agent_mesh.plumbing.postgres.embedded.binaries import find_binaries

#: Where the recorded agents and workflows call; the restore names the address of its own service.
ADDRESS = "127.0.0.1:39871"

_POLICY = """permit (principal is Mesh::Workflow, action == Mesh::Action::"callHttp",
  resource is Mesh::Endpoint);"""
_HEADER = "document: {dsl: '1.0.0', namespace: recorded, name: %s, version: 1.0.0}\n"
_CALL = "{call: http, with: {method: post, endpoint: 'http://%s/%s', body: {run: ours}}}"
_WORKFLOWS = {
    "quick": "do: [{done: {set: {ok: true}}}]",
    "asking": "do: [{ask: {listen: {to: {one: {with: {type: recorded.approval}}}}}},"
    f" {{then: {_CALL % (ADDRESS, 'approved')}}}, {{done: {{set: {{ok: true}}}}}}]",
    "waiting": "do: [{wait: {wait: {minutes: 5}}},"
    f" {{then: {_CALL % (ADDRESS, 'waited')}}}, {{done: {{set: {{ok: true}}}}}}]",
    "calling": f"do: [{{first: {_CALL % (ADDRESS, 'first')}}},"
    f" {{slow: {_CALL % (ADDRESS, 'slow')}}}, {{done: {{set: {{ok: true}}}}}}]",
}

#: Set once a run is in the middle of a call that is not answered.
_SLOW = asyncio.Event()

Json = dict[str, Any]  # an answer of the API


async def _served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every call, but never one to /slow."""
    with suppress(asyncio.IncompleteReadError, asyncio.CancelledError):
        while head := (await reader.readuntil(b"\r\n\r\n")).lower():
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            if b"/slow" in head.split(b"\r\n")[0]:
                _SLOW.set()
                await asyncio.sleep(3600)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                         b"content-length: 11\r\n\r\n" + b'{"ok":true}')  # fmt: skip
            await writer.drain()


class _Customer:
    """One tenant's key at the door, which remembers every receipt."""

    def __init__(self, up: Up, key: str, receipts: list[str]) -> None:
        self._client = httpx.AsyncClient(
            base_url=up.api, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        self._receipts = receipts

    async def ask(self, method: str, path: str, **what: Any) -> Json:  # Any: httpx's own options
        answer = await self._client.request(method, path, **what)
        answer.raise_for_status()
        self._receipts.append(answer.headers["Mesh-Receipt"])
        return dict(answer.json()) if answer.content else {}


async def _fill(up: Up, said: Json) -> None:
    """Give both customers agents, policies, keys and workflows, and leave runs in the middle."""
    env = surroundings(MESH_DATA=str(up.folder))
    words = ("tenant", "create", "acme", "--tier", "free", "--json")
    acme = json.loads(mesh(*words, env=env).stdout)
    said["keys"] = {"default": up.line["key"], "acme": acme["issued"]["text"]}
    said["tenants"] = {"default": up.line["tenant"], "acme": acme["tenant"]["id"]}
    await _until(datetime.fromisoformat(said["since"]))
    for name, key in said["keys"].items():
        customer = _Customer(up, key, said["receipts"])
        await customer.ask("POST", "/v1/agents", json={
            "name": f"{name}-clerk", "kind": "http", "url": f"http://{ADDRESS}/agent",
            "credential": {"value": f"secret of {name}"}, "labels": {"team": name},
        })  # fmt: skip
        await customer.ask("POST", f"/v1/agents/{name}-clerk:invoke", json={"input": {"x": 1}})
        await customer.ask("PUT", "/v1/policies/any-http", json={"text": _POLICY})
    owner = _Customer(up, said["keys"]["default"], said["receipts"])
    for name, tasks in _WORKFLOWS.items():
        text = _HEADER % name + tasks
        headers = {"Content-Type": "application/yaml"}
        await owner.ask("POST", "/v1/workflows", content=text, headers=headers)
    said["runs"] = {name: await _started(owner, name) for name in ("quick", "asking", "waiting")}
    for _ in range(20):
        await owner.ask("GET", "/v1/agents")


async def _started(owner: _Customer, workflow: str) -> str:
    run = await owner.ask("POST", f"/v1/workflows/{workflow}/runs", json={"input": {}})
    return str(run["id"])


def _dump(urls: Urls, to: Path) -> None:
    program = find_binaries().program("pg_dump")
    made = subprocess.run(
        [program, "--inserts", "--rows-per-insert=500", urls.migrate],
        capture_output=True,
        check=True,
        text=True,
    )
    # What only psql, or only this major version of the server, understands.
    strange = ("\\restrict", "\\unrestrict", "SET transaction_timeout")
    lines = [line for line in made.stdout.split("\n") if not line.startswith(strange)]
    to.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


async def _until(moment: datetime) -> None:
    while datetime.now(UTC) < moment:
        await asyncio.sleep(0.5)


async def record(folder: Path) -> None:
    """Record the present version into a new folder."""
    folder.mkdir()
    parent = Path(mkdtemp(prefix="mesh-record-"))
    parent.chmod(0o711)
    host, _, port = ADDRESS.rpartition(":")
    async with await asyncio.start_server(_served, host, int(port)):
        up = await asyncio.to_thread(start, parent / "data")
        said: Json = {"receipts": []}
        try:
            since = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
            until = since + timedelta(minutes=2)
            said |= {"since": since.isoformat(), "until": until.isoformat()}
            await _fill(up, said)
            await _until(until + timedelta(seconds=90))  # by then each minute is judged
            env = surroundings(MESH_DATA=str(up.folder))
            span = ("--since", said["since"], "--until", said["until"])
            said["statements"] = {
                name: json.loads(
                    mesh("sla", "statement", "-t", name, *span, "--json", env=env).stdout
                )
                for name in said["tenants"]
            }
            owner = _Customer(up, said["keys"]["default"], said["receipts"])
            said["runs"]["calling"] = await _started(owner, "calling")
            await _SLOW.wait()
            urls = find_running(up.folder / "postgres")
            assert urls is not None
            _dump(urls, folder / "database.sql.gz")
            for key in ("master.key", "ledger.key"):
                copyfile(up.folder / "keys" / key, folder / key)
        finally:
            up.stop()
    (folder / "said.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(record(Path(__file__).parent / head_revision()))
