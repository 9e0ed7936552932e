"""A tenant has its whole bundle over HTTP, however large; no reader holds anything for long."""

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.conftest import Server, fresh_urls
from tests.e2e.crew import Crew
from tests.e2e.operations.streamed import (
    Customer,
    Reader,
    closed,
    customer,
    entry,
    fill,
    last_month,
    receipt_of,
    serving,
    settings_of,
)

from ai_agent_mesh.api.door import Door
from ai_agent_mesh.api.streaming import AT_ONCE, Streams
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.statements import verified
from ai_agent_mesh.wiring import Mesh

#: Some 12 MB: more than the buffers of any socket here.
ENTRIES = 12_000


@dataclass(frozen=True)
class House:
    """A mesh that serves, on a database with a long month."""

    mesh: Mesh
    door: Door
    port: int
    acme: Customer
    other: Customer
    month: Month
    urls: tuple[str, str]
    folder: Path

    def client(self, key: str, url: str | None = None) -> httpx.AsyncClient:
        """Return a client that asks for bundles."""
        return httpx.AsyncClient(
            base_url=url or f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}", "Accept": "application/x-ndjson"},
            timeout=60,
            trust_env=False,
        )

    @property
    def path(self) -> str:
        """Return where the statement of the month is."""
        return f"/v1/sla/statements/{self.month}"


@pytest.fixture(scope="module")
async def house(
    postgres: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Serve a tenant with a long month, and another beside it."""
    folder = tmp_path_factory.mktemp("streams")
    month = last_month()
    async with (
        fresh_urls(postgres, template) as urls,
        serving(settings_of(folder, *urls)) as (mesh, door, port),
    ):
        acme = await customer(mesh, "acme", urls[1])
        other = await customer(mesh, "other", urls[1])
        await fill(mesh, acme.tenant, month, ENTRIES)
        await fill(mesh, other.tenant, month, 10)
        yield House(mesh, door, port, acme, other, month, urls, folder)


def lines_of(text: bytes) -> list[bytes]:
    """Return the lines of a bundle."""
    return text.splitlines(keepends=True)


async def test_the_whole_bundle_comes_and_its_entries_say_so(house: House) -> None:
    async with house.client(house.acme.key) as client:
        answer = await client.get(house.path)
        head = await client.head(house.path)
    assert answer.status_code == 200
    assert "transfer-encoding" in answer.headers
    assert {"mesh-receipt", "x-request-id", "traceparent"} <= answer.headers.keys()
    verdict = verified(lines_of(answer.content), pinned=[house.mesh.signer.public_bytes])
    assert verdict.failures == []
    assert (verdict.drawn_from, verdict.entries) == ("entries", ENTRIES)
    assert verdict.statement
    assert verdict.statement.minutes.unavailable == ENTRIES // 1_000
    # A HEAD has a receipt, and no stream.
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["mesh-receipt"] != answer.headers["mesh-receipt"]
    call = answer.headers["mesh-receipt"].partition(";")[0]
    told = await closed(house.mesh, call)
    assert told["detail"] == {"outcome": "whole", "bytes": str(len(answer.content))}
    assert (told["tenant"], told["kind"]) == (house.acme.tenant, "stream_closed")
    began = await entry(house.mesh, "id = $1", call)
    assert (began["status"], began["kind"]) == (200, "call")
    assert began["at"] < told["at"]


async def test_a_tenant_gets_its_own_bundle_and_nobody_elses(house: House) -> None:
    async with house.client(house.other.key) as client:
        own = await client.get(house.path)
        missing = await client.get("/v1/sla/statements/2999-01")
    assert verified(lines_of(own.content)).failures == []
    assert house.other.tenant in own.text
    assert house.acme.tenant not in own.text
    # What cannot begin is refused like any other request.
    assert (missing.status_code, missing.headers["content-type"]) == (
        400, "application/problem+json",
    )  # fmt: skip


async def test_the_call_is_in_the_ledger_before_the_first_byte(house: House) -> None:
    reader = Reader(house.port, house.acme.key, house.month)
    call = receipt_of(await reader.ask())
    found = "SELECT EXISTS (SELECT FROM {} WHERE id = $1)"
    async with house.mesh.ledger.transaction() as tx:
        waiting = await tx.fetchval(found.format("ledger_inbox"), call)
    async with house.mesh.operations.transaction() as tx:
        numbered = await tx.fetchval(found.format("ledger_entry"), call)
    assert waiting or numbered
    reader.leave()


async def test_who_goes_away_is_not_served_on(house: House) -> None:
    reader = Reader(house.port, house.acme.key, house.month)
    call = receipt_of(await reader.ask())
    reader.leave()
    told = await closed(house.mesh, call)
    assert told["detail"]["outcome"] == "left"
    assert int(told["detail"]["bytes"]) < 11_000_000


async def test_who_takes_nothing_holds_no_connection_and_is_hung_up_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Streams, "patience_s", 1.0)
    readers = [Reader(house.port, house.acme.key, house.month) for _ in range(AT_ONCE)]
    calls = [receipt_of(await reader.ask()) for reader in readers]
    # Nobody reads on: both streams stand still, and the database knows nothing of it.
    idle = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND state LIKE 'idle in transaction%'"""
    async with house.mesh.operations.transaction() as tx:
        assert await tx.fetchval(idle) == 0
    # A third one of the same tenant is refused; another tenant is not.
    async with house.client(house.acme.key) as client, house.client(house.other.key) as other:
        refused, served = await client.get(house.path), await other.get(house.path)
    assert (refused.status_code, served.status_code) == (429, 200)
    assert refused.json()["type"] == "/problems/streams-taken"
    for reader, call in zip(readers, calls, strict=True):
        told = await closed(house.mesh, call)
        assert told["detail"]["outcome"] == "stalled"
        got, _ = await reader.rest()
        assert b"\r\n0\r\n\r\n" not in got[-7:]
        reader.leave()
    async with house.client(house.acme.key) as client:
        assert (await client.get(house.path)).status_code == 200


async def test_a_process_that_dies_in_the_midst_leaves_a_file_that_nobody_takes_for_whole(
    house: House,
) -> None:
    async with Crew.over(house.folder, *house.urls) as crew:
        api, url = await crew.api(MESH_LEASE_S="1")
        reader = Reader(int(url.rpartition(":")[2]), house.acme.key, house.month)
        head, _, begun = (await reader.ask()).partition(b"\r\n\r\n")
        await api.stop(signal.SIGKILL)
        rest, _ = await reader.rest()
        reader.leave()
        text = unchunked(begun + rest)
        assert 0 < len(text) < 11_000_000
        found = verified(lines_of(text)).failures
        assert "file" in {str(one.check) for one in found}, found
        assert (await entry(house.mesh, "id = $1", receipt_of(head)))["status"] == 200


def unchunked(body: bytes) -> bytes:
    """Return what whole chunks hold; what a cut one holds is dropped."""
    parts = []
    while b"\r\n" in body:
        size, _, body = body.partition(b"\r\n")
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return b"".join(parts)
