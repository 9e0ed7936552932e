"""A person's correction of a call: beside it, with author and reason, and every figure follows."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conftest import Databases
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.evidence.amendment import Amendment
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.amendments import (
    AlreadySo,
    AmendmentDraft,
    Amendments,
    AmendmentView,
    CallMissing,
    PastCorrection,
    PlatformAlone,
)
from ai_agent_mesh.operations.amendments.store import AmendmentStore
from ai_agent_mesh.operations.objectives import Bundles
from ai_agent_mesh.operations.statements import Statement, first_difference, verified
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Check, verify
from ai_agent_mesh.sla import Category, Fault, Service

TEN = Span(at(0), at(10))


@pytest.fixture
async def acme(book: Book) -> str:
    """Make a tenant with a good call in each of ten minutes, and our failure in two of them."""
    tenant = await book.tenant("acme", "enterprise", at(0, day=1))
    for minute in range(10):
        await book.calls(tenant, at(minute, 20))
    for minute in (3, 7):
        await book.calls(tenant, at(minute, 30), fault=Fault.PLATFORM, latency_us=700_000)
    await book.number()
    return tenant


async def failed(databases: Databases, minute: int) -> str:
    """Return the id of the failure in a minute."""
    async with databases.operations.transaction() as tx:
        entry: str = await tx.fetchval("SELECT id FROM ledger_entry WHERE at = $1", at(minute, 30))
        return entry


async def amend(book: Book, entry: str, fault: Fault, tenant: str = "platform") -> AmendmentView:
    """Correct a call as an operator does."""
    amendments = Amendments(book.databases.operations, book.playbook, book.clock)
    draft = AmendmentDraft(entry, fault, "the customer's own proxy was down")
    async with book.databases.app.tenant(tenant) as tx:
        return await amendments.amend(tx, draft, "ada")


async def ten_minutes(book: Book) -> Statement:
    """State the ten minutes, and hold the statement against its recount."""
    stated = await book.objectives.statement("acme", TEN)
    assert first_difference(stated, await book.objectives.recount(stated)) is None
    return stated


async def test_a_correction_changes_the_figures_and_leaves_the_call(book: Book, acme: str) -> None:
    assert (await ten_minutes(book)).minutes.unavailable == 2
    made = await amend(book, await failed(book.databases, 3), Fault.CLIENT)
    assert (made.tenant, made.was, made.fault, made.amended_by) == (
        acme, Fault.PLATFORM, Fault.CLIENT, "ada",
    )  # fmt: skip
    await book.number()
    stated = await ten_minutes(book)
    assert stated.minutes.unavailable == 1
    assert [(c.calls, c.valid, c.bad) for c in stated.calls] == [(12, 11, 1)]
    p99 = next(x for x in stated.latency if (x.category, x.percentile) == ("agent_crud", "p99"))
    assert (p99.valid, p99.within) == (11, 10)
    assert (await verify(book.databases.operations)).sound


@pytest.mark.usefixtures("acme")
async def test_a_correction_can_be_corrected_again(book: Book) -> None:
    entry = await failed(book.databases, 3)
    for fault in (Fault.CLIENT, Fault.UPSTREAM, Fault.PLATFORM):
        await amend(book, entry, fault)
    await book.number()
    assert (await ten_minutes(book)).minutes.unavailable == 2
    assert (await verify(book.databases.operations)).sound


@pytest.mark.usefixtures("acme")
async def test_of_two_at_once_each_starts_from_the_other_or_is_refused(book: Book) -> None:
    entry = await failed(book.databases, 3)
    done = await asyncio.gather(
        *(amend(book, entry, Fault.CLIENT) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, AmendmentView) for one in done) == 1
    await book.number()
    assert (await ten_minutes(book)).minutes.unavailable == 1


@pytest.mark.usefixtures("acme")
async def test_a_latency_is_judged_by_the_playbook_of_the_call(book: Book) -> None:
    """Made faultless, the call of 700 ms is within no threshold of agent CRUD."""
    await amend(book, await failed(book.databases, 3), Fault.NONE)
    await book.number()
    stated = await ten_minutes(book)
    p50 = next(x for x in stated.latency if (x.category, x.percentile) == ("agent_crud", "p50"))
    assert (p50.valid, p50.within) == (12, 10)


async def test_what_cannot_be_corrected_is_refused_by_name(book: Book, acme: str) -> None:
    entry = await failed(book.databases, 3)
    with pytest.raises(PlatformAlone):
        await amend(book, entry, Fault.NONE, tenant=acme)
    with pytest.raises(CallMissing):
        await amend(book, new_id("ent"), Fault.NONE)
    with pytest.raises(AlreadySo, match="is platform already"):
        await amend(book, entry, Fault.PLATFORM)
    book.clock.move(timedelta(days=120))
    with pytest.raises(PastCorrection, match="2026-11"):
        await amend(book, entry, Fault.NONE)


async def test_a_correction_that_tells_untruths_of_its_call_is_named(book: Book, acme: str) -> None:
    async with book.databases.operations.transaction() as tx:
        found = await AmendmentStore(tx).call(await failed(book.databases, 3))
    assert found is not None
    told = Amendment(
        entry=found.entry.id, digest=found.digest, tenant=acme, at=found.entry.at,
        service=Service.API, category=Category.AGENT_CRUD, latency_us=700_000,
        judged_by=book.playbook.digest, was=Fault.CLIENT, fault=Fault.NONE, reason="untrue",
    )  # fmt: skip
    await book.inbox.append(told.recorded(new_id("ent"), book.clock.now(), "eve", "x"))
    await book.number()
    report = await verify(book.databases.operations)
    assert [one.check for one in report.failures] == [Check.AMENDMENT]


async def bundled(book: Book, tmp_path: Path) -> list[bytes]:
    """Return the bundle of the ten minutes, after a correction of a correction."""
    entry = await failed(book.databases, 3)
    for fault in (Fault.CLIENT, Fault.UPSTREAM):
        await amend(book, entry, fault)
    await book.number()
    signer = Signer.load_or_create(tmp_path / "ledger.key")
    bundles = Bundles(book.databases.operations, book.playbook, book.clock, signer)
    return [line async for line in bundles.lines("acme", TEN)]


@pytest.mark.usefixtures("acme")
async def test_a_bundle_brings_corrections_and_proves_them(book: Book, tmp_path: Path) -> None:
    verdict = verified(await bundled(book, tmp_path))
    assert verdict.failures == []
    assert verdict.statement is not None
    assert verdict.statement.minutes.unavailable == 1
    assert [(a.was, a.fault) for a in verdict.statement.amendments] == [
        ("platform", "client"), ("client", "upstream"),
    ]  # fmt: skip


@pytest.mark.usefixtures("acme")
async def test_a_bundle_that_hides_or_invents_a_correction_is_named(
    book: Book, tmp_path: Path
) -> None:
    lines = await bundled(book, tmp_path)
    made = [at for at, line in enumerate(lines) if b'\\"kind\\":\\"amendment\\"' in line]
    hidden = [line for at, line in enumerate(lines) if at != made[1]]
    assert Check.FIGURE in {one.check for one in verified(hidden).failures}
    untrue = lines[made[0]].replace(b'\\"was\\":\\"platform\\"', b'\\"was\\":\\"none\\"')
    invented = [*lines[: made[0]], untrue, *lines[made[0] + 1 :]]
    checks = {one.check for one in verified(invented).failures}
    assert {Check.BYTES, Check.AMENDMENT} <= checks
