"""Requests are counted in memory by a lone process, and in the database by several."""

import asyncpg
from tests.conftest import Databases

from ai_agent_mesh import playbook
from ai_agent_mesh.plumbing.postgres import Presence
from ai_agent_mesh.product.identity import Allowances


async def test_a_process_sees_another_come_and_be_killed(databases: Databases) -> None:
    first, second = Presence(databases.url), Presence(databases.url)
    assert await first.alone()
    assert await first.alone()
    assert not await second.alone()
    assert not await first.alone()
    await second.close()
    for _ in range(100):  # the server notices a lost connection in its own time
        if await first.alone():
            break
    assert await first.alone()
    await first.close()


async def test_a_lone_process_writes_no_row_for_a_request(databases: Databases) -> None:
    allowances = Allowances.over(playbook.default(), None, databases.app)

    async def rows() -> int:
        link = await asyncpg.connect(databases.migrate_url)
        try:
            return int(await link.fetchval("SELECT count(*) FROM rate_window"))
        finally:
            await link.close()

    allowances.count_here(alone=True)
    assert (await allowances.take("tnt_a", "free")).allowed
    assert await rows() == 0
    allowances.count_here(alone=False)
    assert (await allowances.take("tnt_a", "free")).allowed
    assert await rows() == 1
