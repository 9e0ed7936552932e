"""A tier's requests a minute: exact in any window, wherever they are counted."""

import asyncio
import logging
import socket
import time
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from limits.errors import StorageError
from tests.conftest import Databases

from ai_agent_mesh import playbook
from ai_agent_mesh.product.identity.allowances import (
    Allowances,
    LimitsWindow,
    PostgresWindow,
    Window,
)

PLAYBOOK = playbook.default()
FREE = PLAYBOOK.tiers["free"].requests_per_minute
SHORT = timedelta(seconds=1)


@pytest.fixture(params=["memory", "postgres", "redis"])
def window(request: pytest.FixtureRequest) -> Window:
    """Return each kind of window in turn."""
    if request.param == "memory":
        return LimitsWindow.in_memory()
    if request.param == "redis":
        return LimitsWindow.in_redis(request.getfixturevalue("redis"))
    databases: Databases = request.getfixturevalue("databases")
    return PostgresWindow(databases.app)


async def test_a_window_never_holds_more_than_its_limit(window: Window) -> None:
    taken: list[float] = []
    refused = 0
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        before = time.monotonic()
        allowed, remaining, reset_s = await window.take("tnt_1", 5, SHORT)
        assert 0 <= remaining <= 4
        assert -0.1 <= reset_s <= 1.1
        if allowed:
            taken.append(before)
        else:
            refused += 1
            assert remaining == 0
        await asyncio.sleep(0.02)
    # A request that was counted leaves exactly one length later: the sixth comes no earlier.
    for first, sixth in zip(taken, taken[5:], strict=False):
        assert sixth - first > 0.9
    assert 11 <= len(taken) <= 15
    assert refused > 10


async def test_a_refusal_says_when_there_is_room_again(window: Window) -> None:
    for _ in range(3):
        assert (await window.take("tnt_1", 3, SHORT))[0]
    allowed, _, reset_s = await window.take("tnt_1", 3, SHORT)
    assert not allowed
    await asyncio.sleep(reset_s + 0.05)
    assert (await window.take("tnt_1", 3, SHORT))[0]


async def test_many_at_once_get_no_more_than_the_limit(window: Window) -> None:
    minute = timedelta(minutes=1)

    async def taken(tenant: str) -> int:
        told = await asyncio.gather(*(window.take(tenant, 10, minute) for _ in range(40)))
        return sum(allowed for allowed, _, _ in told)

    for tenant in map("tnt_{}".format, count()):
        with suppress(StorageError):  # a busy machine's Redis may be too slow for one of them
            assert await taken(tenant) == 10
            break
    assert (await window.take("another", 10, minute))[:2] == (True, 9)


async def test_a_free_tenant_gets_the_playbooks_requests_a_minute_and_no_more() -> None:
    assert FREE is not None
    allowances = Allowances(PLAYBOOK)
    for left in reversed(range(FREE)):
        allowance = await allowances.take("tnt_1", "free")
        assert (allowance.allowed, allowance.remaining) == (True, left)
    refused = await allowances.take("tnt_1", "free")
    assert (refused.allowed, refused.limit, refused.remaining) == (False, FREE, 0)
    assert 50 <= refused.reset_s <= 60
    assert refused.headers == {
        "RateLimit": f'"default";r=0;t={refused.reset_s}',
        "RateLimit-Policy": f'"default";q={FREE};w=60',
        "Retry-After": str(refused.reset_s),
    }
    assert (await allowances.take("tnt_2", "free")).allowed


async def test_no_limit_means_none() -> None:
    allowances = Allowances(PLAYBOOK)
    for tenant_id, tier in (("tnt_1", "enterprise"), ("probe", "free")):
        allowance = await allowances.take(tenant_id, tier)
        assert (allowance.allowed, allowance.limit, allowance.headers) == (True, None, {})


async def test_without_its_redis_the_limit_still_holds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert FREE is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    allowances = Allowances.over(PLAYBOOK, redis_url=f"redis://127.0.0.1:{port}/0")
    with caplog.at_level(logging.WARNING):
        started = time.monotonic()
        results = [await allowances.take("tnt_1", "free") for _ in range(FREE + 5)]
    assert sum(result.allowed for result in results) == FREE
    assert time.monotonic() - started < 3
    assert len([r for r in caplog.records if r.name.startswith("ai_agent_mesh")]) == 1


async def test_a_redis_that_dies_and_comes_back_never_opens_the_limit(redis: str) -> None:
    now = 0.0
    allowances = Allowances(PLAYBOOK, LimitsWindow.in_redis(redis), monotonic=lambda: now)
    assert (await allowances.take("tnt_1", "free")).allowed
    from coredis import Redis

    client = Redis.from_url(redis)
    await client.client_pause(timeout=1500)
    assert (await allowances.take("tnt_1", "free")).allowed
    await asyncio.sleep(1.6)
    assert (await allowances.take("tnt_1", "free")).remaining == (FREE or 0) - 2
    now = 10.0
    assert (await allowances.take("tnt_1", "free")).allowed


async def test_processes_that_share_a_database_share_the_count(databases: Databases) -> None:
    assert FREE is not None
    processes = [Allowances.over(PLAYBOOK, database=databases.app) for _ in range(3)]
    results = await asyncio.gather(
        *(processes[n % 3].take("tnt_1", "free") for n in range(FREE + 30))
    )
    assert sum(result.allowed for result in results) == FREE


async def test_a_request_is_counted_once_though_redis_was_slow_to_say_so(redis: str) -> None:
    from coredis import Redis

    minute, window = timedelta(minutes=1), LimitsWindow.in_redis(redis)
    await window.take("tnt_1", 10, minute)
    client = Redis.from_url(redis)
    await client.client_pause(timeout=700)
    with pytest.raises(StorageError):
        await window.take("tnt_1", 10, minute)
    await client.ping()  # it answers again
    assert (await window.take("tnt_1", 10, minute))[1] >= 10 - 3
