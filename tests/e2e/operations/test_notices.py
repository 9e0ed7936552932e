"""A subscriber hears of maintenance at least once, under one id, and the ledger tells of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from tests.conftest import Databases
from tests.contract.agents.processes import ROOT, running

from ai_agent_mesh.adapters.webhooks import WebhookSender
from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.notices import (
    Deliveries,
    Draft,
    Subscribed,
    Subscriptions,
    SubscriptionsFull,
    Topic,
)
from ai_agent_mesh.operations.notices.rules import MOST, TRIES, WAITS
from ai_agent_mesh.operations.planned import Draft as Work
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import MasterKey, Vault
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy
from ai_agent_mesh.product.identity import Tenants
from ai_agent_mesh.product.ledger import Entry, Kind

Json = dict[str, Any]  # what others wrote, in JSON
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Post:
    """Some tenants by their names, a receiver, and who delivers to it."""

    tenants: dict[str, str]
    databases: Databases
    clock: FixedClock
    vault: Vault
    deliveries: Deliveries
    url: str
    log: Path
    key: Path

    async def subscribe(self, tenant: str, path: str) -> Subscribed:
        """Subscribe an address of the receiver's."""
        async with self.databases.app.tenant(self.tenants[tenant]) as tx:
            draft = Draft(url=f"{self.url}{path}", topics=[Topic.MAINTENANCE])
            return await Subscriptions(tx, self.vault, self.clock, "usr_1").subscribe(draft)

    async def announce(self) -> str:
        """Announce maintenance a second later; return its id."""
        self.clock.move(SECOND)
        since = self.clock.now() + timedelta(days=9)
        draft = Work(title="Disks", since=since, until=since + timedelta(hours=1))
        async with self.databases.app.tenant("platform") as tx:
            calendar = MaintenanceCalendar(tx, default(), self.clock, "usr_2")
            return (await calendar.announce(draft)).id

    async def run(self, after: timedelta = timedelta(0)) -> int:
        """Let time pass, and deliver what is due then."""
        self.clock.move(after)
        return await self.deliveries.run(self.clock.now())

    def heard(self) -> list[Json]:
        """Return the requests that the receiver has heard."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    async def entries(self, tenant: str) -> list[Entry]:
        """Return the notice entries of a tenant."""
        async with self.databases.operations.transaction() as tx:
            rows = await tx.fetch(
                "SELECT bytes FROM ledger_inbox WHERE tenant_id = $1 ORDER BY id",
                self.tenants[tenant],
            )
        return [Entry.decode(row["bytes"]) for row in rows]

    async def open(self) -> int:
        """Return how many notices are looked at still."""
        async with self.databases.operations.transaction() as tx:
            return int(await tx.fetchval("SELECT count(*) FROM notice WHERE open"))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("receiver") / "heard"
    log.touch()
    with running("tests.e2e.operations.receiver", str(log)) as url:
        yield url, log


@pytest.fixture
async def post(
    databases: Databases, tmp_path: Path, receiver: tuple[str, Path]
) -> AsyncIterator[Post]:
    url, log = receiver
    log.write_text("")
    key = tmp_path / "master.key"
    vault, clock = Vault(MasterKey.load_or_create(key)), FixedClock(NOW)
    sender = WebhookSender(AddressPolicy.parse(["127.0.0.1/32"]))
    deliveries = Deliveries(
        databases.app, databases.operations, vault, sender, clock, "digest", try_s=1
    )
    async with databases.app.transaction() as tx:
        makers = Tenants(tx, clock)
        tenants = {name: (await makers.create(f"tenant-{name}", "free")).id for name in "abc"}
    yield Post(tenants, databases, clock, vault, deliveries, url, log, key)
    await sender.aclose()


async def test_every_subscriber_hears_once_of_what_came_after_it(post: Post) -> None:
    one, other = await post.subscribe("a", "/ok"), await post.subscribe("b", "/ok")
    work = await post.announce()
    post.clock.move(SECOND)
    await post.subscribe("c", "/ok")  # too late for this one
    assert await post.run() == 2
    assert await post.run(timedelta(days=2)) == 0
    heard = post.heard()
    assert len(heard) == 2
    assert len({request["headers"]["webhook-id"] for request in heard}) == 1
    opened = [verified(request, one.secret) or verified(request, other.secret) for request in heard]
    for said in opened:
        assert said is not None
        assert (said["type"], said["data"]["id"]) == ("maintenance.announced", work)
        assert "will exclude" in said["data"]["verdict"]
    (entry,) = await post.entries("a")
    assert entry.kind is Kind.NOTICE
    assert (entry.detail["notice"], entry.detail["about"]) == ("delivered", work)
    assert (entry.detail["attempts"], entry.detail["doubtful_repeats"]) == ("1", "0")
    assert entry.detail["subscription"] == one.subscription.id
    assert entry.object == heard[0]["headers"]["webhook-id"]
    assert await post.entries("c") == []
    assert await post.open() == 0


def verified(request: Json, secret: str) -> Json | None:
    """Return the message when its signature is by this secret."""
    try:
        return dict(Webhook(secret).verify(str(request["body"]), request["headers"]))
    except WebhookVerificationError:
        return None


async def test_a_failing_receiver_is_tried_a_bounded_number_of_times(post: Post) -> None:
    await post.subscribe("a", "/fail")
    await post.announce()
    assert await post.run() == 1
    for wait in WAITS:
        assert await post.run(wait - SECOND) == 0
        assert await post.run(SECOND) == 1
    assert await post.run(timedelta(days=5)) == 0
    heard = post.heard()
    assert len(heard) == TRIES
    assert len({request["headers"]["webhook-id"] for request in heard}) == 1
    assert not any("mesh-repeat" in request["headers"] for request in heard)
    (entry,) = await post.entries("a")
    assert (entry.detail["notice"], entry.detail["attempts"]) == ("failed", str(TRIES))
    assert entry.detail["reason"] == "it answered 500"
    assert await post.open() == 0


async def test_a_redirect_is_not_followed_and_gone_is_final(post: Post) -> None:
    for path in ("/redirect", "/moved", "/gone"):
        await post.subscribe("a", path)
    await post.announce()
    assert await post.run() == 3
    assert sorted(str(request["path"]) for request in post.heard()) == [
        "/gone", "/moved", "/redirect",
    ]  # fmt: skip
    (entry,) = await post.entries("a")
    assert (entry.detail["notice"], entry.detail["reason"]) == ("failed", "it answered 410")


async def test_a_receiver_that_hangs_holds_nobody_up_and_may_have_heard(post: Post) -> None:
    await post.subscribe("a", "/hang-once")
    await post.subscribe("b", "/ok")
    await post.announce()
    assert await post.run() == 2
    assert len(await post.entries("b")) == 1
    assert await post.run(WAITS[0]) == 1
    first, second = [one for one in post.heard() if str(one["path"]) == "/hang-once"]
    assert "mesh-repeat" not in first["headers"]
    assert second["headers"]["mesh-repeat"] == "possible"
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert first["body"] == second["body"]
    (entry,) = await post.entries("a")
    assert (entry.detail["notice"], entry.detail["doubtful_repeats"]) == ("delivered", "1")


async def test_a_worker_killed_while_it_delivers_repeats_under_the_same_id(post: Post) -> None:
    await post.subscribe("a", "/hang")
    await post.announce()
    args = (post.databases.url, str(post.key), post.clock.now().isoformat())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.e2e.operations.deliverer", *args, cwd=ROOT
    )
    try:
        async with asyncio.timeout(60):
            while not post.heard():
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        await process.wait()
    assert await post.run() == 0  # the claim holds until its turn
    assert await post.run(WAITS[0]) == 1
    first, second = post.heard()
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert "mesh-repeat" not in first["headers"]
    assert second["headers"]["mesh-repeat"] == "possible"
    assert await post.entries("a") == []  # nothing is settled yet


async def test_two_workers_share_the_deliveries(post: Post) -> None:
    for _ in range(3):
        await post.subscribe("a", "/ok")
    await post.announce()
    assert sum(await asyncio.gather(*[post.run() for _ in range(3)])) == 3
    assert (len(post.heard()), len(await post.entries("a"))) == (3, 3)


async def test_an_address_that_may_not_be_reached_is_never_asked(post: Post) -> None:
    await post.subscribe("a", "/ok")
    sender = WebhookSender(AddressPolicy())
    post.deliveries._sender = sender
    await post.announce()
    assert await post.run() == 1
    assert post.heard() == []
    async with post.databases.app.tenant(post.tenants["a"]) as tx:
        reason = await tx.fetchval("SELECT reason FROM notice_delivery")
    assert "a loopback address" in reason
    await sender.aclose()


async def test_an_ended_subscription_hears_no_more(post: Post) -> None:
    kept = await post.subscribe("a", "/fail")
    await post.announce()
    await post.run()
    async with post.databases.app.tenant(post.tenants["a"]) as tx:
        subscriptions = Subscriptions(tx, post.vault, post.clock)
        await subscriptions.delete(kept.subscription.id)
        assert await subscriptions.list(Page()) == []
    assert await post.run(WAITS[0]) == 0
    assert await post.run(timedelta(minutes=2)) == 0
    assert await post.open() == 0


async def test_a_tenant_has_a_bounded_number_of_subscriptions(post: Post) -> None:
    for _ in range(MOST):
        await post.subscribe("a", "/ok")
    with pytest.raises(SubscriptionsFull):
        await post.subscribe("a", "/ok")
    await post.subscribe("b", "/ok")
