"""What was announced, called off and told comes along with a statement, and cannot be left out."""

import asyncio
from datetime import datetime
from importlib import import_module

import asyncpg
import pytest
from msgspec import structs
from tests.conftest import Databases
from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.test_bundles import announce, bundle_of
from tests.e2e.operations.withheld import (
    CANCELLING,
    WITHHELD,
    hidden,
    older,
    planned,
    uncancelled,
    untold,
)

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.credits.rules import figures_digest
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.maintenance.store import MaintenanceStore
from ai_agent_mesh.operations.planned import (
    Draft,
    Link,
    Maintenance,
    Proof,
    announced,
    cancelled,
)
from ai_agent_mesh.operations.statements import as_text, first_difference, verified
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Inbox


async def test_a_statement_tells_what_became_of_every_announcement(
    book: Book, signer: Signer
) -> None:
    verdict = verified(await planned(book, signer))
    assert verdict.failures == []
    statement = verdict.statement
    assert statement
    assert statement.planned_work
    assert statement.planned_work.acts == 4
    told = {
        work.title: [(one.type, one.outcome, one.number) for one in work.notices or ()]
        for work in statement.maintenance
    }
    first = told["Too late"][0][2]  # within the span, after the numbers from before it
    assert told == {
        "Kept": [("maintenance.announced", "delivered", 1)],
        "Called off": [("maintenance.announced", "failed", 2),
                       ("maintenance.cancelled", "delivered", 3)],
        "Too late": [("maintenance.announced", "delivered", first)],
    }  # fmt: skip
    assert first > 3
    text = as_text(statement)
    assert "announced: failed to hooks.acme.example 2026-11-01 10:01 UTC, 2 tries, entry 2" in text
    assert "it hung up" in text
    assert "4 announcements and cancellations up to then" in text


async def test_the_ledger_gives_the_same_as_the_rows(book: Book, signer: Signer) -> None:
    await planned(book, signer)
    stated = await book.objectives.statement("acme", Span(at(0), at(10)))
    assert first_difference(stated, await book.objectives.recount(stated)) is None
    admin = await asyncpg.connect(book.databases.migrate_url)
    await admin.execute("ALTER TABLE maintenance_act NO FORCE ROW LEVEL SECURITY")
    await admin.execute("UPDATE maintenance_act SET hash = sha256(hash) WHERE ordinal = 4")
    await admin.close()
    flattered = await book.objectives.statement("acme", Span(at(0), at(10)))
    found = first_difference(flattered, await book.objectives.recount(flattered))
    assert found
    assert found[0] == "planned_work.hash"


async def test_whatever_is_withheld_is_named(book: Book, signer: Signer) -> None:
    lines = await planned(book, signer)
    for name, (change, check, place) in WITHHELD.items():
        failures = verified(change(lines)).failures
        assert failures, name
        first = failures[0]
        assert (str(first.check), first.place[: len(place)]) == (check, place), (name, first)


async def test_not_even_whoever_signs_can_pass_over_what_others_were_told(
    book: Book, signer: Signer
) -> None:
    """The signer states that nothing was called off, or that nobody was told: the entries tell."""
    lines = await planned(book, signer)
    first = verified(uncancelled(lines, signer)).failures[0]
    assert (str(first.check), first.place) == ("maintenance", "act 3")
    first = verified(untold(lines, signer)).failures[0]
    assert (str(first.check), first.place) == ("figure", "maintenance.2.notices")


async def test_a_bundle_from_before_there_was_a_stream_still_holds(
    book: Book, signer: Signer
) -> None:
    assert verified(older(await planned(book, signer), signer)).failures == []


async def test_however_many_announce_at_once_each_follows_another(
    book: Book, signer: Signer
) -> None:
    await book.tenant("acme", "enterprise", at(0, -90))
    draft = Draft(title="Disks", since=at(3), until=at(4))
    made = await asyncio.gather(*(announce_at_once(book, draft) for _ in range(8)))
    await book.number(at(0, day=1))
    moments = {one.announced.at for one in made}
    assert (len(moments), min(moments)) == (8, at(0, day=1))
    await book.probe(at(0), 5)
    await book.number()
    verdict = verified(await bundle_of(book, signer, at(5)))
    assert verdict.failures == []
    assert verdict.statement
    assert verdict.statement.planned_work
    assert verdict.statement.planned_work.acts == 8


async def test_acts_that_come_after_a_statement_do_not_change_it(
    book: Book, signer: Signer
) -> None:
    await planned(book, signer)
    stated = await book.objectives.statement("acme", Span(at(0), at(10)))
    book.clock.move(at(0, day=7) - book.clock.now())
    await announce(book, at(0, day=7), Draft(title="Later", since=at(0, day=9), until=at(9, day=9)))
    await book.number()
    book.clock.move(at(2, day=7) - book.clock.now())
    assert first_difference(stated, await book.objectives.recount(stated)) is None
    later = verified(await bundle_of(book, signer))
    assert later.failures == []
    assert later.statement
    assert later.statement.planned_work
    assert later.statement.planned_work.acts == 5
    assert figures_digest(later.statement) == figures_digest(stated)


async def test_acts_from_before_there_was_a_stream_are_taken_over_and_bound(
    book: Book, signer: Signer
) -> None:
    """As an older version wrote them: without a word of their place; one is not numbered yet."""
    await book.tenant("acme", "enterprise", at(0, -90))
    # As it was then, an act had no row of its own.
    admin = await asyncpg.connect(book.databases.migrate_url)
    for column in ("entry", "cancel_entry"):
        await admin.execute(f"ALTER TABLE maintenance DROP CONSTRAINT maintenance_{column}_fkey")
    one = work("mnt_1", at(0, day=1), Span(at(3), at(4)))
    two = work("mnt_2", at(0, day=2), Span(at(5), at(7)))
    off = Proof(at(0, day=3), new_id("ent"))
    await keep(book, two, None)
    await keep(book, one, None)
    await book.number(at(0, day=2))
    await keep(book, two, off)
    migration = import_module("ai_agent_mesh.migrations.versions.0018_planned_acts")
    await admin.execute(migration.TAKEN_OVER)
    rows = await admin.fetch("SELECT entry FROM maintenance_act ORDER BY ordinal")
    await admin.close()
    assert [row["entry"] for row in rows] == [one.announced.entry, two.announced.entry, off.entry]
    await announce(book, at(0), Draft(title="New", since=at(8), until=at(9)))
    await book.probe(at(0), 10)
    await book.number()
    lines = await bundle_of(book, signer)
    verdict = verified(lines)
    assert verdict.failures == []
    assert verdict.statement
    assert [one.excluded_minutes for one in verdict.statement.maintenance] == [1, 0, 0]
    first = verified(hidden(lines, CANCELLING)).failures[0]
    assert (str(first.check), first.place) == ("maintenance", "act 3")


async def announce_at_once(book: Book, draft: Draft, now: datetime | None = None) -> Maintenance:
    """Announce at a moment (the 1st), and let it be numbered later."""
    async with book.databases.app.tenant("platform") as tx:
        calendar = MaintenanceCalendar(tx, book.playbook, FixedClock(now or at(0, day=1)), "ops")
        return await calendar.announce(draft)


def work(name: str, announced: datetime, span: Span) -> Maintenance:
    return Maintenance(name, "Old", "", span, None, Proof(announced, new_id("ent")))


async def keep(book: Book, one: Maintenance, off: Proof | None) -> None:
    """Write an act as it was written before: its row, and an entry that names no place."""
    made = cancelled(one, off, "ops", "x", Link()) if off else announced(one, "ops", "x", Link())
    said = {k: v for k, v in made.detail.items() if k not in {"ordinal", "previous"}}
    async with book.databases.app.tenant("platform") as tx:
        store = MaintenanceStore(tx)
        await (store.cancel(one.id, off, "ops") if off else store.insert(one, "ops"))
        await Inbox.insert(tx, structs.replace(made, detail=said))


async def test_nothing_is_announced_or_called_off_beside_the_stream(databases: Databases) -> None:
    beside = work("mnt_1", at(0, day=1), Span(at(3), at(4)))
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with databases.app.tenant("platform") as tx:
            await MaintenanceStore(tx).insert(beside, "ops")
