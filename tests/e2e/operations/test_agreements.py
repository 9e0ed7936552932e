"""A month is judged by the playbook that was in force when it began, whatever is chosen later."""

import json
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from tests.e2e.operations.changing import (
    DAY,
    DECEMBER,
    JANUARY,
    NICER,
    NOVEMBER,
    OCTOBER,
    beheaded,
    bundled,
    changing,
    forged,
    to,
)
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import (
    Agreements,
    AgreementUnreadable,
    SeveralAgreements,
)
from ai_agent_mesh.operations.amendments import AmendmentDraft, Amendments, PastCorrection
from ai_agent_mesh.operations.credits import ClosingStore, Credits
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.objectives import Objectives
from ai_agent_mesh.operations.statements import (
    Statement,
    first_difference,
    verified,
)
from ai_agent_mesh.operations.status import Status
from ai_agent_mesh.playbook import canonical, default
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.product.ledger import governing, verify
from ai_agent_mesh.sla import Fault


async def stated(book: Book, month: Month) -> Statement:
    """State a month, and hold the entries against it."""
    found = await book.objectives.statement("oak", month)
    assert first_difference(found, await book.objectives.recount(found)) is None
    return found


@pytest.fixture
async def oak(book: Book) -> str:
    """Return the tenant whose playbook changes."""
    return await changing(book)


def figures(one: Statement) -> tuple[object, ...]:
    """Return what the change touches: promise, outage, credit, latency, maintenance."""
    (part,) = one.parts
    p50 = next(x for x in one.latency if (x.category, x.percentile) == ("agent_crud", "p50"))
    (work,) = one.maintenance
    return (
        one.playbook, part.objective, part.method, part.credit_percent,
        one.minutes.unavailable, p50.threshold_ms, p50.within - 1 * (one.month == "2026-11"),
        work.late, work.excluded_minutes,
    )  # fmt: skip


OLD = (default().digest, "99.99%", "period", "10", 5, 100, 9, True, 0)
#: Of December's calls nine were good and three bad: 75%.
NEW = (NICER.digest, "80%", "requests", "1", None, 10, 0, False, 2)


@pytest.mark.usefixtures("oak")
async def test_a_change_within_a_month_counts_from_the_next_month_on(book: Book) -> None:
    assert figures(await stated(book, NOVEMBER)) == OLD
    assert figures(await stated(book, DECEMBER)) == NEW
    assert (await verify(book.databases.operations)).failures == []
    with pytest.raises(SeveralAgreements, match="2026-11 and 2026-12 are judged by different"):
        await book.objectives.statement("oak", Span(at(0), DECEMBER.since + DAY))


@pytest.mark.usefixtures("oak")
async def test_who_runs_under_what_changes_nothing_of_a_month(book: Book) -> None:
    by_new = await stated(book, NOVEMBER)
    book.playbook = default()
    assert first_difference(by_new, await stated(book, NOVEMBER)) is None
    assert figures(await stated(book, DECEMBER)) == NEW
    supposed = Objectives(book.databases.operations, NICER, book.clock, supposed=True)
    assert (await supposed.statement("oak", NOVEMBER)).parts[0].objective == "80%"


async def test_a_credit_is_booked_by_the_months_own_ladder_and_corrected_as_long_as_it_says(
    book: Book, oak: str
) -> None:
    to(book, DECEMBER.until + timedelta(minutes=5))
    databases = book.databases
    closer = Credits(databases.app, databases.operations, book.playbook, book.clock)
    assert await closer.close_due(book.clock.now()) == 2
    async with databases.app.tenant(oak) as tx:
        found = {one.month: one for one in await ClosingStore(tx).page(Page(9))}
    told = {m: (c.playbook, [(b.currency, b.amount) for b in c.booked]) for m, c in found.items()}
    assert told == {
        "2026-11": (default().digest, [("USD", Decimal("900.00"))]),
        "2026-12": (NICER.digest, [("USD", Decimal("90.00"))]),
    }
    for month in (NOVEMBER, DECEMBER):
        one = await book.objectives.statement(oak, month)
        assert len(await closer.check(await book.objectives.recount(one))) == 1
    # December is corrected for a day, and November by its own playbook for longer.
    to(book, DECEMBER.until + 2 * DAY)
    amendments = Amendments(databases.operations, book.playbook, book.clock)
    for moment, refused in ((at(0, 1, day=15), False), (DECEMBER.since + 5 * DAY, True)):
        entry = await failed_after(book, moment - timedelta(minutes=1))
        async with databases.app.tenant("platform") as tx:
            if refused:
                with pytest.raises(PastCorrection, match="2026-12"):
                    await amendments.amend(tx, AmendmentDraft(entry, Fault.CLIENT, "theirs"), "ada")
            else:
                await amendments.amend(tx, AmendmentDraft(entry, Fault.CLIENT, "theirs"), "ada")
    await book.number()
    assert (await stated(book, NOVEMBER)).minutes.unavailable == 4
    assert (await verify(databases.operations)).failures == []


async def failed_after(book: Book, moment: datetime) -> str:
    """Return the first of the tenant's calls from a moment on."""
    async with book.databases.operations.transaction() as tx:
        found: str = await tx.fetchval(
            "SELECT id FROM ledger_entry WHERE kind = 'call' AND at >= $1 ORDER BY at LIMIT 1",
            moment,
        )
    return found


@pytest.mark.usefixtures("oak")
async def test_a_bundle_proves_which_playbook_judges_its_month(book: Book) -> None:
    for month, playbook in ((NOVEMBER, default()), (DECEMBER, NICER)):
        for entries in (None, 0):
            verdict = verified(await bundled(book, month, entries=entries))
            assert verdict.failures == []
            assert verdict.statement is not None
            assert verdict.statement.playbook == playbook.digest


@pytest.mark.usefixtures("oak")
async def test_a_nicer_playbook_that_somebody_chose_later_is_found_and_named(book: Book) -> None:
    for entries in (None, 0):
        lines = await forged(book, NOVEMBER, entries=entries)
        found = verified(lines).failures
        assert [(str(one.check), one.place) for one in found] == [("playbook", "2026-11")], found
        assert f"2026-11 is judged by {default().digest}" in found[0].reason
    # Nor does it help to leave out which one was in force.
    november, december = lines, await bundled(book, DECEMBER, entries=0)
    for some, number, reason in (
        (november, 1, "the batch before 2026-11 is not here"),
        (december, 2, "the batch before 2026-12 is not here"),
    ):
        told = {str(one.check): one.reason for one in verified(beheaded(some, number)).failures}
        assert told["playbook"].startswith(reason)
    for number in range(1, 9):
        november = beheaded(november, number)
    told = {str(one.check): one.reason for one in verified(november).failures}
    assert told["playbook"] == "no batch shows which one judges 2026-11"


async def test_what_was_changed_while_everything_stood_still_is_not_taken_up_before_the_next_month(
    book: Book,
) -> None:
    """The batch of October names the first; the next one is of December and names the second."""

    async def judges() -> list[str | None]:
        async with book.databases.operations.transaction() as tx:
            months = (OCTOBER, NOVEMBER, DECEMBER, JANUARY)
            return [await governing(tx, month) for month in months]

    assert await judges() == [None] * 4
    tenant = await book.tenant("oak", "enterprise", OCTOBER.since + 19 * DAY)
    to(book, OCTOBER.since + 20 * DAY)
    await book.calls(tenant, book.clock.now())
    await book.number()
    assert await judges() == [default().digest] * 4
    book.under(NICER)
    to(book, DECEMBER.since + 2 * DAY)
    for moment in (NOVEMBER.since + DAY, DECEMBER.since + DAY):
        await book.calls(tenant, moment, latency_us=50_000)
    await book.number()
    first, second = default().digest, NICER.digest
    assert await judges() == [first, first, first, second]
    for month in (NOVEMBER, DECEMBER):
        one = await stated(book, month)
        assert [x.within for x in one.latency if x.valid] == [1, 1, 1]
    assert (await verify(book.databases.operations)).failures == []
    for month in (OCTOBER, NOVEMBER, DECEMBER):
        assert verified(await bundled(book, month)).failures == []


async def test_the_first_moment_of_a_month_is_its_own(book: Book) -> None:
    """What is numbered at midnight comes too late for the month that begins."""
    for playbook, moment in (
        (default(), DECEMBER.since - timedelta.resolution), (NICER, DECEMBER.since),
    ):  # fmt: skip
        book.under(playbook)
        to(book, moment)
        await book.calls("tnt_1", moment)
        await book.number()
    async with book.databases.operations.transaction() as tx:
        assert await governing(tx, DECEMBER) == default().digest
        assert await governing(tx, JANUARY) == NICER.digest


async def test_the_moments_of_batches_never_go_back(book: Book) -> None:
    for moment in (at(10), at(5), at(20)):
        to(book, moment)
        await book.calls("tnt_1", at(0))
        await book.number()
    async with book.databases.operations.transaction() as tx:
        rows = await tx.fetch("SELECT at FROM ledger_batch ORDER BY batch")
    assert [row["at"] for row in rows] == [at(10), at(10), at(20)]


async def test_the_status_page_judges_each_day_by_the_playbook_of_its_month(
    book: Book, oak: str
) -> None:
    """Two of five minutes are left out in December alone, where a day's notice is enough."""
    overview = await Status(book.databases.operations, book.playbook, book.clock).overview()
    api = next(one for one in overview.components if one.service == "api")
    days = {day.day.isoformat(): (day.unavailable, day.excluded) for day in api.days}
    assert (days["2026-11-15"], days["2026-12-06"]) == ((5, 0), (3, 2))
    assert [(one.late, one.excludes) for one in overview.works] == [(True, False), (False, True)]
    async with book.databases.app.tenant(oak) as tx:
        calendar = MaintenanceCalendar(tx, book.playbook, book.clock)
        views = [await calendar.view(one) for one in await calendar.list(Page(9))]
    assert {one.since: one.excludes for one in views} == {
        at(0, day=15): False, DECEMBER.since + 5 * DAY: True,
    }  # fmt: skip


@pytest.mark.usefixtures("oak")
async def test_a_changed_promise_is_said_to_wait_and_other_changes_are_not(book: Book) -> None:
    async with book.databases.operations.transaction() as tx:
        agreements = Agreements(tx, NICER)
        waiting = {one.key for one in await agreements.waiting(NOVEMBER)}
        assert await agreements.waiting(DECEMBER) == []
    assert {"tiers.enterprise.uptime", "latency.agent_crud.p50", "maintenance.notice"} < waiting
    assert "keys.rotation" not in waiting


@pytest.mark.usefixtures("oak")
async def test_a_playbook_whose_text_is_gone_or_unreadable_is_named(book: Book) -> None:
    book.under(NICER)
    told = {"alerting": {"gone": 1}, **json.loads(canonical(default()))}
    told["alerting"]["gone"] = 1
    text = json.dumps(told)
    digest = (await stated(book, NOVEMBER)).playbook
    admin = await asyncpg.connect(book.databases.migrate_url)
    try:
        await admin.execute("ALTER TABLE ledger_playbook_text DISABLE TRIGGER append_only")
        await admin.execute("DELETE FROM ledger_playbook_text WHERE digest = $1", digest)
        # From before texts were kept: figures go on, but a bundle does not pass for proven.
        today = await book.objectives.statement("oak", NOVEMBER)
        assert today.playbook == NICER.digest
        assert digest in verified(await bundled(book, NOVEMBER)).failures[0].reason
        await admin.execute(
            "ALTER TABLE ledger_playbook_text DROP CONSTRAINT ledger_playbook_text_check"
        )
        await admin.execute("INSERT INTO ledger_playbook_text VALUES ($1, $2)", digest, text)
    finally:
        await admin.close()
    with pytest.raises(AgreementUnreadable, match=rf"{digest}.*alerting\.gone.*is not a key"):
        await book.objectives.statement("oak", NOVEMBER)
    assert (await stated(book, DECEMBER)).playbook == NICER.digest
