"""The database dies, hangs, is full of connections, or may not be written: what callers see."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from functools import partial

import asyncpg
import httpx
import pytest
from tests.e2e.away.conftest import House
from tests.e2e.crew import Member, checks, until

from ai_agent_mesh.worker.process import LOST

#: A supervisor kills after 15 s; a busy machine is given some more.
PATIENCE_S = 25
#: No request may hang longer than this, whatever the database does; docs/reliability.md says less.
BOUND_S = 60

QUICK = """document: {dsl: '1.0.0', namespace: away, name: %s, version: 1.0.0}
do: [%s{done: {set: {ok: true}}}]"""
PAUSE = "{pause: {wait: {seconds: 1}}}, "


@pytest.fixture(autouse=True)
async def standing(house: House) -> AsyncIterator[None]:
    """Leave the next test a database that answers, however this one ends."""
    yield
    house.signal_database(signal.SIGCONT)
    if house.server.pid is None:
        await house.server.restart()


@pytest.fixture
async def others(house: House) -> Sequence[Member]:
    """Start another API and another worker, to be told to stop."""
    (api, _), worker = await asyncio.gather(house.crew.api(), house.crew.worker())
    return api, worker


async def put(client: httpx.AsyncClient, name: str, before: str = "") -> None:
    text, kind = QUICK % (name, before), {"Content-Type": "application/yaml"}
    assert (await client.post("/v1/workflows", content=text, headers=kind)).is_success


async def started(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post(f"/v1/workflows/{name}/runs", json={"input": {}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def completed(client: httpx.AsyncClient, run: str) -> bool:
    answer = await client.get(f"/v1/runs/{run}")
    return answer.is_success and answer.json()["state"] == "completed"


async def refused(client: httpx.AsyncClient) -> list[str]:
    """Make a read and a change that the database cannot keep; return their receipts' ids."""
    agent = {"name": "new", "kind": "http", "url": "http://127.0.0.1:9/"}
    asked = (client.get("/v1/agents"), client.post("/v1/agents", json=agent))
    async with asyncio.timeout(BOUND_S):
        answers = await asyncio.gather(*asked)
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
    return [answer.headers["Mesh-Receipt"].partition(";")[0] for answer in answers]


async def recovered(house: House, client: httpx.AsyncClient, entries: list[str]) -> None:
    """See that all is well again by itself: readiness, the pools, and the evidence kept late."""

    async def ready() -> bool:
        return not await checks(house.address)

    await until(ready)
    assert (await client.get("/v1/agents")).json()["items"] == []
    given = ",".join(f"'{one}'" for one in entries)

    async def numbered() -> bool:
        found = await house.value(
            f"SELECT count(*) FROM ledger_entry WHERE id IN ({given})"
            " AND convert_from(bytes, 'UTF8')::jsonb ->> 'late' = 'true'"
        )
        return bool(found == len(entries))

    await until(numbered)
    spool = house.crew.folder / "data" / "spool"

    async def empty() -> bool:
        return not list(spool.iterdir())

    await until(empty)


async def says(house: House, check: str, reason: str) -> None:
    """Wait until readiness gives a reason for a check that fails."""

    async def said() -> bool:
        return reason in str((await checks(house.address)).get(check))

    await until(said)


async def leave(others: Sequence[Member]) -> None:
    """Tell others to stop: both go by themselves, sooner than a supervisor would lose patience."""
    api, worker = await asyncio.gather(*(other.stop(within_s=PATIENCE_S) for other in others))
    assert api == 0, others[0].said()
    assert worker in {0, LOST}, others[1].said()


async def test_a_database_that_dies_and_comes_back_loses_nothing_that_was_acknowledged(
    house: House, others: Sequence[Member]
) -> None:
    async with house.client() as client:
        await put(client, "quick")
        await put(client, "pausing", PAUSE)
        runs = [await started(client, "pausing") for _ in range(3)]
        before = (await client.get("/status")).text
        await house.kill_database()
        entries = await refused(client)
        await leave(others)
        await says(house, "database", "cannot be reached")
        await says(house, "sequencer", "cannot be reached")
        assert (await client.get("/livez")).status_code == 200

        async def stale() -> bool:
            page = await client.get("/status")
            return page.status_code == 200 and page.text != before

        await until(stale)
        complaint = await house.crew.run("doctor", "--json", status=1)
        assert complaint == ""  # what it found stands on its standard output
        await house.server.restart()
        await recovered(house, client, entries)
        for run in runs:
            await until(partial(completed, client, run))
        fresh = await started(client, "quick")
        await until(lambda: completed(client, fresh))
    assert house.worker.process.returncode is None
    assert json.loads(await house.crew.run("ledger", "verify", "--json"))["sound"]


async def test_a_silent_database_makes_neither_a_request_nor_an_end_wait_for_ever(
    house: House, others: Sequence[Member]
) -> None:
    async with house.client() as client:
        house.signal_database(signal.SIGSTOP)
        try:
            entries, _ = await asyncio.gather(refused(client), leave(others))
            await says(house, "database", "no answer")
        finally:
            house.signal_database(signal.SIGCONT)
        await recovered(house, client, entries)


async def test_a_long_log_of_the_database_is_moved_aside(house: House) -> None:
    log = house.server.folder / "log" / "postgres-long.log"
    with log.open("wb") as file:
        file.truncate(33 * 2**20)
    owner = log.parent.stat()
    os.chown(log, owner.st_uid, owner.st_gid)
    await house.server.shorten_logs()
    assert log.stat().st_size == 0
    assert log.with_name("postgres-long.log.1").stat().st_size == 33 * 2**20


async def test_a_crowded_database_refuses_and_is_found_again(house: House) -> None:
    async with house.client() as client:
        # The pools hold few connections when there is little to do: kick them out, then crowd.
        links: list[asyncpg.Connection[asyncpg.Record]] = []
        crowding = True

        async def crowd() -> None:
            while crowding:
                try:
                    links.append(await asyncpg.connect(house.urls.login, timeout=5))
                except (asyncpg.TooManyConnectionsError, OSError):
                    await asyncio.sleep(0.02)

        others = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename = 'mesh_login' AND application_name LIKE 'mesh_%'"
        )
        crowds = [asyncio.create_task(crowd()) for _ in range(4)]
        owner = await asyncpg.connect(house.urls.migrate)
        try:

            async def crowded() -> bool:
                await owner.fetchval(others)
                return "no connection left" in str((await checks(house.address)).get("database"))

            await until(crowded)
            entries = await refused(client)
        finally:
            crowding = False
            await asyncio.gather(*crowds)
            for link in links:
                link.terminate()
            await owner.close()
        await recovered(house, client, entries)


async def test_a_database_that_may_not_be_written_refuses_every_call(house: House) -> None:
    async with house.client() as client:
        kick = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename = 'mesh_login'"
        )
        await house.value("ALTER ROLE mesh_login SET default_transaction_read_only = on")
        await house.value(kick)
        try:
            await says(house, "database", "takes no changes")
            entries = await refused(client)
        finally:
            await house.value("ALTER ROLE mesh_login RESET default_transaction_read_only")
            await house.value(kick)
        await recovered(house, client, entries)
